"""index.html: one file with tables, curves and records inside; it loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from lrfer_bench.reporting.collect import Report, how_made
from lrfer_bench.reporting.page_data import page_data

SCRIPTS = ("1_base.js", "2_chart.js", "3_table.js", "4_detail.js")


def render(report: Report) -> str:
    """The page as HTML.

    The data stand in a JSON block without any "<", so that nothing in them can end it. The script
    puts texts on the page as text only. A policy in the page forbids other scripts and all
    requests.
    """
    style = _read("page.css")
    script = "\n".join(_read(name) for name in SCRIPTS)
    inside = f"img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_read("page.html")).render(
        title=report.options.title or "lrfer-bench leaderboard",
        made=how_made(report),
        policy=f"default-src 'none'; {inside}",
        style=Markup(style),
        script=Markup(script),
        data=Markup(embedded(page_data(report))),
    )


def embedded(data: Any) -> str:
    """JSON that is safe inside a <script> element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _read(name: str) -> str:
    folder = resources.files("lrfer_bench.reporting").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
