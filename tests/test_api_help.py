"""help(lrfer_bench.api) names every public thing, and everything public says what it is.

Its example runs.
"""

from __future__ import annotations

import inspect
import pydoc
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from folders import ROOT

import lrfer_bench
from lrfer_bench import api


def test_the_overview_names_all_that_is_public_and_stands_first() -> None:
    shown = pydoc.plain(pydoc.render_doc(api))
    overview = shown[: shown.index("\nCLASSES")]
    missing = [name for name in api.__all__ if not re.search(rf"\b{name}\b", overview)]
    assert not missing and len(overview.splitlines()) < 150


def test_everything_public_says_what_it_is() -> None:
    things = [(name, getattr(api, name)) for name in api.__all__]
    things += [
        (name, getattr(lrfer_bench, name))
        for name in ("run", "load_results", "load_model", "report")
    ]
    for name, module in [one for one in things if inspect.ismodule(one[1])]:
        things += [
            (f"{name}.{k}", v)
            for k, v in vars(module).items()
            if getattr(v, "__module__", "") == module.__name__ and not k.startswith("_")
        ]
    silent = []
    for name, thing in things:
        own = {name: thing}
        if inspect.isclass(thing):
            own |= {
                f"{name}.{k}": v
                for k, v in vars(thing).items()
                if inspect.isfunction(v) or isinstance(v, property)
            }
        silent += [
            k
            for k, v in own.items()
            if not k.split(".")[-1].startswith("_") and not inspect.getdoc(v)
        ]
    assert not silent


def test_the_example_runs(quickly: Any, tiny: list[str], tmp_path: Path) -> None:
    blocks = [
        block
        for block in (api.__doc__ or "").split("\n\n")
        if "@register_method" in block
        or "__init__" in block
        or block.startswith(("    from", "        def"))
    ]
    (tmp_path / "tiny_idea.py").write_text(
        textwrap.dedent("\n\n".join(blocks)).replace('"tiny"', '"tiny-idea"')
    )
    done = quickly(
        "run",
        *tiny,
        "--plugin",
        tmp_path / "tiny_idea.py",
        "--methods",
        "tiny-idea",
        "--scales",
        "2",
        "--set",
        "tiny-idea.bias=false",
        "--no-report",
        "--results",
        tmp_path / "results",
    )
    assert done.returncode == 0, done.stdout + done.stderr


QUICK = """
import sys
from lrfer_bench import api
assert set(api.__all__) == set(dir(api))
api.read_images, api.read_tree, api.cut_validation, api.write_atomically
assert "torch" not in sys.modules
api.losses.relation
assert "torch" in sys.modules
"""


def test_what_data_sets_need_loads_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", QUICK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


COPIED = """
import sys
from pathlib import Path
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.plugins.registry import DATASETS, METHODS, PLUGIN_ERRORS
load_plugins(sorted(Path(sys.argv[1]).glob("*.py")))
assert not PLUGIN_ERRORS, PLUGIN_ERRORS
for registry in (METHODS, DATASETS):
    names = set(registry.names())
    built_in = {one.name for one in registry if one.module.startswith("lrfer_bench.")}
    missing = [name for name in built_in if "copy-of-" + name not in names]
    assert built_in and not missing, missing
"""


def test_a_copy_of_any_built_in_file_is_a_plugin(tmp_path: Path) -> None:
    """In a process of its own, with nothing imported before.

    Plugins must not need what the tests have loaded.
    """
    for folder in (ROOT / "methods", ROOT / "datasets"):
        for card in folder.glob("*.card.toml"):
            shutil.copy(card, tmp_path)
        for file in folder.glob("*.py"):
            text = re.sub(
                r'(@register_(?:method|dataset)\(")', r"\1copy-of-", file.read_text("utf-8")
            )
            (tmp_path / file.name).write_text(text, encoding="utf-8")
    (tmp_path / "__init__.py").unlink()
    done = subprocess.run(
        [sys.executable, "-c", COPIED, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
