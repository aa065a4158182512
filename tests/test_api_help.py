"""help(lrfer_bench.api): it names every public thing, its example runs, and everything public says what it is."""

from __future__ import annotations

import inspect
import pydoc
import re
import textwrap
from pathlib import Path
from typing import Any

import lrfer_bench
from lrfer_bench import api


def test_the_overview_names_all_that_is_public_and_stands_first() -> None:
    shown = pydoc.plain(pydoc.render_doc(api))
    overview = shown[: shown.index("\nCLASSES")]
    missing = [name for name in api.__all__ if not re.search(rf"\b{name}\b", overview)]
    assert not missing and len(overview.splitlines()) < 100


def test_everything_public_says_what_it_is() -> None:
    things = [(name, getattr(api, name)) for name in api.__all__]
    things += [(name, getattr(lrfer_bench, name)) for name in ("run", "load_results", "load_model", "report")]
    silent = []
    for name, thing in things:
        own = {name: thing}
        if inspect.isclass(thing):
            own |= {
                f"{name}.{k}": v for k, v in vars(thing).items() if inspect.isfunction(v) or isinstance(v, property)
            }
        silent += [k for k, v in own.items() if not k.split(".")[-1].startswith("_") and not inspect.getdoc(v)]
    assert not silent


def test_the_example_runs(lrfer: Any, tiny: list[str], tmp_path: Path) -> None:
    blocks = [block for block in (api.__doc__ or "").split("\n\n") if "@register_method" in block or "__init__" in block
              or block.startswith(("    from", "        def"))]  # fmt: skip
    (tmp_path / "tiny_idea.py").write_text(textwrap.dedent("\n\n".join(blocks)).replace('"tiny"', '"tiny-idea"'))
    done = lrfer("run", *tiny, "--plugin", tmp_path / "tiny_idea.py", "--methods", "tiny-idea", "--scales", "2",
                 "--set", "tiny-idea.bias=false", "--no-report", "--results", tmp_path / "results")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
