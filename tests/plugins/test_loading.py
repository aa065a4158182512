"""--plugin and LRFER_PLUGINS, wherever a name is taken.

A plugin that breaks half-way leaves nothing behind.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import decorators
import pytest
import registries
from folders import PLUGINS

from lrfer_bench.plugins.loading import (
    load_plugin,
    load_plugins,
    loaded_contents,
)
from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS, Entry, Registry

PLUGIN = '''
"""A protocol, a data set and a method in one file."""
import numpy as np
from lrfer_bench.api import Dataset, DatasetCard, FaceSet, Method, Protocol, Split
from lrfer_bench.api import register_dataset, register_method, register_protocol

@register_protocol("corner")
class Corner(Protocol):
    name = "corner"
    summary = "every nth pixel"
    def degrade(self, hr, size, scale, seeds):
        return hr[:, :, ::scale, ::scale].contiguous()

@register_dataset("noisefaces")
class NoiseFaces(Dataset):
    card = DatasetCard(summary="noise in two classes", classes=("a", "b"))
    needs_root = False
    def sources(self, root):
        return []
    def load(self, root):
        def make(seed):
            faces = np.random.default_rng(seed).integers(0, 255, (8, 1, 16, 16), np.uint8)
            return Split(faces, np.arange(8) % 2)

        splits = {"train": make(1), "val": make(2), "test": make(3)}
        return FaceSet("noisefaces", ("a", "b"), splits)

@register_method("of-the-file")
class OfTheFile(Method):
    """A method of a file."""
'''


def by_door(door: str, plugin: Path) -> dict[str, Any]:
    """How a plugin file is given: {"words": ..., "variables": ...}."""
    if door == "--plugin":
        return {"words": ["--plugin", plugin], "variables": {}}
    return {"words": [], "variables": {"LRFER_PLUGINS": str(plugin)}}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("doors") / "three.py"
    file.write_text(PLUGIN)
    return file


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["methods", "show", "of-the-file"], "from three.py sha256:"),
        (["datasets", "prepare", "noisefaces"], "noisefaces: train 8, val 8, test 8"),
        (["protocols", "list"], "corner@1"),
        (["protocols", "show", "corner"], "no golden arrays are kept for it"),
        (["plan", "--methods", "of-the-file", "--dataset", "noisefaces", "--protocols", "corner",
          "--scales", "2", "--no-estimate"],
         "of-the-file, corner@1 x2"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)  # fmt: skip
@pytest.mark.parametrize("door", ["--plugin", "LRFER_PLUGINS"])
def test_every_door_leads_in(
    inside: Any, plugin: Path, words: list[str], said: str, door: str
) -> None:
    given = by_door(door, plugin)
    done = inside(*words, *given["words"], **given["variables"])
    assert done.status == 0 and said in done.out, done.out + done.err


def test_broken_plugins_are_named_by_every_list(inside: Any) -> None:
    for command in ("methods", "datasets", "protocols"):
        done = inside(command, "list", "--plugin", PLUGINS / "broken.py")
        assert done.status == 0 and done.out and "a_module_that_is_not_there" in done.err


def test_half_a_plugin_is_none(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text(
        "from lrfer_bench.api import Method, register_method\n@register_method('half')\nclass "
        "Half(Method): pass\n1 / 0\n"
    )
    load_plugin(file)
    assert "half.py:4" in PLUGIN_ERRORS.pop(str(file)) and "half" not in METHODS.names()


def test_two_plugins_with_one_name_are_both_named(tmp_path: Path, inside: Any) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(
            "from lrfer_bench.api import Method, register_method\n@register_method('mine')\n"
            f"class Mine(Method):\n    'of {name}'\n"
        )
    files = ("--plugin", tmp_path / "one.py", "--plugin", tmp_path / "two.py")
    done = inside("methods", "list", *files)
    assert done.status == 0 and "of one" in done.out and "of two" not in done.out
    assert 'the method name "mine" of two.py sha256:' in done.err
    assert "is taken by one.py sha256:" in done.err


TAKEN = """
from lrfer_bench import api

@api.register_{kind}("{name}")
class Mine:
    pass
"""


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("method", "direct", ["run", "--methods", "direct"]),
        ("method", "bicubic", ["plan", "--methods", "bicubic"]),
        ("dataset", "synthface", ["run", "--methods", "enlarge", "--dataset", "synthface"]),
        ("protocol", "area", ["run", "--methods", "enlarge", "--protocols", "area"]),
        ("protocol", "area", ["run", "--methods", "enlarge", "--test-protocols", "area"]),
        ("protocol", "area", ["protocols", "show", "area"]),
        ("metric", "brier", ["report", "--metrics", "brier", "--results", "{trained}"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
@pytest.mark.parametrize("door", ["--plugin", "LRFER_PLUGINS"])
def test_a_name_that_a_plugin_wants_too_is_not_somebody_elses(
    inside: Any, tmp_path: Path, trained: Path, kind: str, name: str, words: list[str], door: str
) -> None:
    """Whoever gives that file and asks for that name would otherwise get the built-in thing."""
    file = tmp_path / "taken.py"
    text = TAKEN if kind != "metric" else TAKEN.replace("class Mine:", "def mine(logits, labels):")
    file.write_text(text.format(kind=kind, name=name) + f"# {tmp_path}\n")
    words = [word.format(trained=trained) for word in words]
    if words[0] == "run":
        words += ["--results", str(tmp_path / "results"), "--no-report"]
    given = by_door(door, file)
    done = inside(*words, *given["words"], **given["variables"])
    assert done.status == 2, done.out + done.err
    assert f'the {kind} name "{name}" of taken.py sha256:' in done.err
    assert f"taken.py:{decorators.named(4)})" in done.err and not (tmp_path / "results").exists()


def test_what_a_script_handed_over_may_be_defined_anew() -> None:
    registry = Registry("method", "no.such.group")
    first = type("A", (), {"__module__": "__main__"})
    second = type("A", (), {"__module__": "lrfer_plugin_x"})
    registry.add("a", first, "module __main__")
    with registry.scope(out=lambda entry: entry.name == "a", keep_new=True):
        registry.add("a", second, "script.py sha256:1")
    assert registry.load("a") is second
    registry.add("a", first, "module __main__")
    assert registry.load("a") is first


@pytest.mark.parametrize("keep_new", [False, True])
def test_a_scope_is_put_back_whatever_happens(keep_new: bool) -> None:
    registry = Registry("method", "no.such.group")
    for name in ("in", "out"):
        registry.add(name, f"old:{name}", "before")
    before = list(registry)
    put = [replace(registry.entry("in"), target="new:in"), Entry("method", "extra", "new:x", "put")]
    with (
        pytest.raises(ZeroDivisionError),
        registry.scope(put, lambda entry: entry.name == "out", keep_new),
    ):
        assert [entry.target for entry in registry] == ["new:x", "new:in"]
        registry.add("new", "new:new", "inside")
        raise ZeroDivisionError
    assert [entry for entry in registry if entry.name != "new"] == before
    assert ("new" in registry.names()) == keep_new


def test_an_edit_that_is_taken_back_counts(tmp_path: Path) -> None:
    """In a notebook: what plans and workers take is what the file holds now."""
    file = tmp_path / "mine.py"
    text = 'from lrfer_bench.api import register_method, Method\n@register_method("mine")\n'
    text += "class Mine(Method):\n    number = {}\n"
    with registries.pristine():
        for number in (1, 2, 1, 1, 3, 2):
            file.write_text(text.format(number))
            load_plugin(file)
            assert METHODS.load("mine").number == number
            assert f"number = {number}".encode() in dict(loaded_contents([file]))[str(file)]
            assert METHODS.entry("mine").source.startswith("mine.py sha256:")


def test_workers_get_what_was_loaded_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of LRFER_PLUGINS too, and a copy of a file that was loaded from another folder."""
    text = 'from lrfer_bench.api import register_method, Method\n@register_method("mine")\n'
    text += "class Mine(Method):\n    number = {}\n"
    listed, copy = tmp_path / "mine.py", tmp_path / "copy" / "mine.py"
    copy.parent.mkdir()
    for file in (listed, copy):
        file.write_text(text.format(1))
    with registries.pristine():
        monkeypatch.setenv("LRFER_PLUGINS", str(listed))
        load_plugins()
        listed.write_text(text.format(2))
        held = text.format(1).encode()
        assert loaded_contents() == [(str(listed), held)]
        assert METHODS.load("mine").number == 1
        assert loaded_contents([copy]) == [(str(listed), held), (str(copy), held)]
        listed.unlink()
        assert loaded_contents() == [(str(listed), held)]


EDITED = """
import multiprocessing
from pathlib import Path

if multiprocessing.parent_process() is None:  # an editor saves half a line while the run goes on
    with open(__file__, "a") as file:
        file.write("\\nthis is no Python\\n")
"""


def test_workers_run_what_the_plan_was_made_with(
    lrfer: Any, tiny: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text((PLUGINS / "tiny.py").read_text() + EDITED)
    words = ["--plugin", file, *tiny[2:], "--methods", "linear", "--scales", "2", "--no-report"]
    done = lrfer("run", *words, "--results", tmp_path / "results")
    assert "this is no Python" in file.read_text()
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "results" / "records").glob("*.json"))) == 1


def test_a_plugin_whose_name_no_record_could_hold_is_left_out(tmp_path: Path) -> None:
    with registries.pristine():
        file = tmp_path / os.fsdecode(b"m\xfcller.py")
        try:
            file.write_text("from lrfer_bench.api import no_such_thing")
        except OSError:
            pytest.skip("this file system takes names in Unicode only")
        load_plugins([file])
        assert "not Unicode" in PLUGIN_ERRORS[str(file)]
