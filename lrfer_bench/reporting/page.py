"""index.html: one file with tables, curves and records inside; no network, everything from records escaped."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from lrfer_bench.reporting.page_data import page_data

if TYPE_CHECKING:
    from lrfer_bench.reporting.make import Report

SCRIPTS = ("1_base.js", "2_chart.js", "3_table.js", "4_detail.js")


def render(report: Report) -> str:
    """The page as HTML.

    Data stand in a JSON block in which no "<" is left, so that nothing in them can end it; the script puts texts on the
    page as text only; and a policy in the page lets no other script run and nothing be fetched.
    """
    from lrfer_bench.reporting.make import how_made

    style = _read("page.css")
    script = "\n".join(_read(name) for name in SCRIPTS)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(_read("page.html")).render(
        title=report.options.title or "lrfer-bench leaderboard",
        made=how_made(report),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}",
        style=Markup(style),
        script=Markup(script),
        data=Markup(embedded(page_data(report))),
    )


def embedded(data: Any) -> str:
    """JSON that is safe inside a <script> element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _read(name: str) -> str:
    return (
        resources.files("lrfer_bench.reporting")
        .joinpath("templates")
        .joinpath(name)
        .read_text(encoding="utf-8")
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
