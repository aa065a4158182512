"""Classes of a script, a module or a notebook on their way to the workers."""

from __future__ import annotations

import hashlib
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
import registries

from lrfer_bench import api
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.handover import DECORATORS, hand_over
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import METHODS, METRICS, PLUGIN_ERRORS, REGISTRIES


def test_a_file_that_registers_its_class_is_handed_over_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key and hash are those of --plugin, and the command line needs no module of its name."""
    file = tmp_path / "stands_alone.py"
    file.write_text(
        "from lrfer_bench.api import Method, "
        "register_method\n\n\n@register_method('stands-alone')\n"
        "class Mine(Method):\n    pass\n\n\nclass Bare(Method):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with METHODS.scope():
        module = importlib.import_module("stands_alone")
        names, files = hand_over(METHODS, [module.Mine], tmp_path / "results")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        assert (names, files) == (["stands-alone"], [file])
        assert METHODS.entry("stands-alone").source == f"stands_alone.py sha256:{digest}"
        assert (
            tmp_path / "results" / "plugins" / digest / file.name
        ).read_bytes() == file.read_bytes()
        assert hand_over(METHODS, ["stands-alone"], tmp_path / "results") == (names, files)
        (stub,) = hand_over(METHODS, [module.Bare], tmp_path / "results")[1]
        assert stub != file and "from stands_alone import" in stub.read_text()
    for name in [name for name in sys.modules if "stands_alone" in name]:
        monkeypatch.delitem(sys.modules, name)


def test_a_class_without_a_source_is_one_sentence(tmp_path: Path) -> None:
    from lrfer_bench.api import Method

    lost = type("Lost", (Method,), {"__module__": "__nowhere__"})
    with pytest.raises(UserError, match=r"Lost .*plugins=\[...\]"):
        hand_over(METHODS, [lost], tmp_path)

    class Inner(Method):
        pass

    with pytest.raises(UserError, match="inside a function"):
        hand_over(METHODS, [Inner], tmp_path)
    with pytest.raises(UserError, match="nor a class"):
        hand_over(METHODS, [3], tmp_path)  # type: ignore[list-item]


def test_a_notebook_hands_over_the_newest_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells as IPython keeps them, a magic among them, the class defined twice."""
    import types

    module = types.ModuleType("made_up_notebook")
    cells = [
        "%matplotlib inline\nfrom lrfer_bench.api import Method, register_method",
        "@register_method('of-a-notebook')\nclass Mine(Method):\n    version = '1'",
        "@register_method('of-a-notebook')\nclass Mine(Method):\n    version = '2'",
    ]
    monkeypatch.setitem(sys.modules, "made_up_notebook", module)
    with METHODS.scope():
        for cell in cells:
            exec(cell.replace("%matplotlib inline", ""), module.__dict__)
        module.In = cells  # type: ignore[attr-defined]
        names, files = hand_over(METHODS, ["of-a-notebook"], tmp_path)
        assert names == ["of-a-notebook"] and len(files) == 1 and files[0].name == "notebook.py"
        assert METHODS.load("of-a-notebook").version == "2"
        module.In = [*cells, "print(1)", cells[0], cells[2]]  # type: ignore[attr-defined]
        assert hand_over(METHODS, ["of-a-notebook"], tmp_path) == (names, files), "not made again"
        exec(cells[2].replace("'2'", "'3'"), module.__dict__)
        module.In = [*cells, cells[2].replace("'2'", "'3'")]  # type: ignore[attr-defined]
        hand_over(METHODS, [module.Mine], tmp_path)  # type: ignore[attr-defined]
        assert METHODS.load("of-a-notebook").version == "3"


def test_every_kind_has_its_decorator(tmp_path: Path) -> None:
    assert set(DECORATORS) == {registry.kind for registry in REGISTRIES}
    assert all(callable(getattr(api, decorator)) for decorator in DECORATORS.values())
    assert hand_over(METRICS, ["brier"], tmp_path) == (["brier"], [])


def test_a_class_that_was_removed_is_not_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is asked for, nor together with others of its module."""
    file = tmp_path / "two_ideas.py"
    text = "from lrfer_bench.api import Method\n"
    file.write_text(text + "class Stays(Method):\n    pass\nclass Goes(Method):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("two_ideas")
    with METHODS.scope():
        METHODS.add("stays", module.Stays, "module two_ideas")
        METHODS.add("goes", module.Goes, "module two_ideas")
        monkeypatch.delattr(module, "Goes")
        with pytest.raises(UserError, match=r'"goes" .*removed'):
            hand_over(METHODS, ["stays", "goes"], tmp_path / "results")
        names, (stub,) = hand_over(METHODS, ["stays"], tmp_path / "results")
        assert names == ["stays"] and "Goes" not in stub.read_text()
    for name in [name for name in sys.modules if "two_ideas" in name]:
        monkeypatch.delitem(sys.modules, name)


HELPED = "from own_pkg.blocks import WIDTH, Base\n\n\nclass Mine(Base):\n    width = WIDTH\n"
REGISTERED = HELPED.replace("class", '@register_method("mine")\nclass').replace(
    "from own", "from lrfer_bench.api import register_method\nfrom own", 1
)
LATE = HELPED.replace("from own_pkg.blocks import WIDTH, Base\n", (
    "from lrfer_bench.api import Method\nfrom typing import TYPE_CHECKING\n"
    "if TYPE_CHECKING:\n    import own_other\n"
)).replace("Base", "Method").replace("WIDTH", (
    "3\n\n    def __init__(self, task):\n        from own_pkg.blocks import Base"
    "\n        try:\n            import own_pkg.old\n        except SyntaxError:\n"
    "            pass"
))  # fmt: skip


def imported(text: str, file: str = "own_mine") -> Any:
    """The class Mine of a file, in a program that has just begun."""
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]
    Path(f"{file}.py").write_text(text)
    importlib.invalidate_caches()
    return importlib.import_module(file).Mine


def test_code_of_the_user_s_that_a_class_rests_on_is_in_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    package = tmp_path / "own_pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("DEEP = 1\n")
    blocks = "from lrfer_bench.api import Method\nfrom .deep import DEEP\nWIDTH = 8\n\n\n"
    blocks += "class Base(Method):\n    pass\n"
    (package / "blocks.py").write_text(blocks)
    (package / "old.py").write_text("print 'of another Python'\n")
    (tmp_path / "own_other.py").write_text("X = 1\n")

    def file_of(text: str) -> str:
        with registries.pristine():
            _, (file,) = hand_over(METHODS, [imported(text)], tmp_path / "results")
            return file.read_text()

    for text in (HELPED, REGISTERED, LATE):
        before = file_of(text)
        assert file_of(text) == before
        (tmp_path / "own_other.py").write_text("X = 2\n")
        assert file_of(text) == before, "nothing imports it"
        importlib.import_module("own_pkg.blocks")
        assert file_of(text) == before, "whatever was imported so far"
        for name in ("deep", "blocks"):
            file = package / f"{name}.py"
            whole = file.read_text()
            file.write_text(whole + "# edited\n")
            after = file_of(text)
            assert after != before
            with registries.pristine():
                file.write_text(whole)
                kept = tmp_path / "results" / "kept.py"
                kept.write_text(after)
                load_plugin(kept)
                assert "has changed since the run began" in PLUGIN_ERRORS.pop(str(kept))
        assert file_of(text) == before


def test_a_class_that_derives_from_a_built_in_one_rests_on_no_file_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "from lrfer_bench.api import register_method\nfrom lrfer_bench.methods.kd import KD\n\n\n"
        "@register_method('mine')\nclass Mine(KD):\n    pass\n"
    )
    with registries.pristine():
        _, (file,) = hand_over(METHODS, [imported(text)], tmp_path / "results")
        assert file.name == "own_mine.py" and file.read_text() == text
