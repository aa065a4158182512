"""index.html: one file with tables, curves and records inside; it loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lrfer_bench.reporting.collect import Report, how_made
from lrfer_bench.reporting.page_data import page_data

SCRIPTS = tuple(f"{k}_{name}.js" for k, name in enumerate(
    ("base", "address", "chart", "panels", "table", "need", "detail", "start"), 1))  # fmt: skip
FACES = (48, 24, 12, 6)
"""Sizes in pixels of the strip of faces. templates/faceN.png are rendered faces (CC0)."""
MARK = '<meta name="generator" content="lrfer-bench">'
"""Stands in the head of every page and tells ours from others."""


def links(out: Path, files: Iterable[Path]) -> dict[str, list[str]]:
    """Addresses, seen from the page, of the tables and pictures beside it."""
    found: dict[str, list[str]] = {"tables": [], "pictures": []}
    for path in files:
        kind = "pictures" if path.suffix in (".png", ".svg") else "tables"
        found[kind].append(path.relative_to(out).as_posix())
    return found


def render(report: Report, beside: Mapping[str, Sequence[str]] | None = None) -> str:
    """The page as HTML; beside: what links() found.

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
        tested=report.options.resamples > 0,
        policy=f"default-src 'none'; {inside}",
        style=Markup(style),
        script=Markup(script),
        faces=[(px, _image(f"face{px}.png")) for px in FACES],
        data=Markup(embedded(page_data(report, beside))),
    )


def embedded(data: Any) -> str:
    """JSON that is safe inside a <script> element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _read(name: str) -> str:
    return _file(name).decode("utf-8")


def _image(name: str) -> str:
    return f"data:image/png;base64,{base64.b64encode(_file(name)).decode()}"


def _file(name: str) -> bytes:
    folder = resources.files("lrfer_bench.reporting").joinpath("templates")
    return folder.joinpath(name).read_bytes()


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
