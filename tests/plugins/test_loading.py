"""--plugin and LRFER_PLUGINS wherever a name is taken; a plugin that breaks half-way leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from folders import PLUGINS

from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS, Registry, last_place, load_plugin

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
        make = lambda seed: Split(np.random.default_rng(seed).integers(0, 255, (8, 1, 16, 16), np.uint8), np.arange(8) % 2)
        return FaceSet("noisefaces", ("a", "b"), {"train": make(1), "val": make(2), "test": make(3)})

@register_method("of-the-file")
class OfTheFile(Method):
    """A method of a file."""
'''


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
        (["plan", "--methods", "of-the-file", "--dataset", "noisefaces", "--protocols", "corner", "--scales", "2",
          "--no-estimate"],
         "of-the-file, corner@1 x2"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)  # fmt: skip
@pytest.mark.parametrize("door", ["--plugin", "LRFER_PLUGINS"])
def test_every_door_leads_in(lrfer: Any, plugin: Path, words: list[str], said: str, door: str) -> None:
    by_hand = door == "--plugin"
    done = lrfer(*words, *(["--plugin", plugin] if by_hand else []), LRFER_PLUGINS="" if by_hand else str(plugin))
    assert done.returncode == 0 and said in done.stdout, done.stdout + done.stderr


def test_broken_plugins_are_named_by_every_list(lrfer: Any) -> None:
    broken = PLUGINS / "broken.py"
    for command in ("methods", "datasets", "protocols"):
        done = lrfer(command, "list", "--plugin", broken)
        assert done.returncode == 0 and done.stdout and "a_module_that_is_not_there" in done.stderr


def test_half_a_plugin_is_none(tmp_path: Path) -> None:
    file = tmp_path / "half.py"
    file.write_text(
        "from lrfer_bench.api import Method, register_method\n@register_method('half')\nclass Half(Method): pass\n1 / 0\n"
    )
    load_plugin(file)
    assert "half.py:4" in PLUGIN_ERRORS.pop(str(file)) and "half" not in METHODS.names()


def test_two_plugins_with_one_name_are_both_named(tmp_path: Path, lrfer: Any) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(
            "from lrfer_bench.api import Method, register_method\n@register_method('mine')\n"
            f"class Mine(Method):\n    'of {name}'\n"
        )
    done = lrfer("methods", "list", "--plugin", tmp_path / "one.py", "--plugin", tmp_path / "two.py")
    assert done.returncode == 0 and "of one" in done.stdout and "of two" not in done.stdout
    assert 'the method name "mine" of two.py sha256:' in done.stderr and "is taken by one.py sha256:" in done.stderr


def test_last_place_is_the_authors_line(tmp_path: Path) -> None:
    """An error deep in torch is shown at the line of the plugin that led there."""
    import torch

    file = tmp_path / "mistake.py"
    file.write_text("import torch\n\n\ndef f(x):\n    return torch.nn.functional.cross_entropy(x, x.long()[:, :1])\n")
    space: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    with pytest.raises((RuntimeError, ValueError)) as caught:
        space["f"](torch.zeros(2, 3))
    assert last_place(caught.value) == f"{file}:5"


def test_what_a_script_handed_over_may_be_defined_anew() -> None:
    registry = Registry("method", "no.such.group")
    first, second = type("A", (), {"__module__": "__main__"}), type("A", (), {"__module__": "lrfer_plugin_x"})
    registry.add("a", first, "module __main__")
    by_script = registry.entry("a")
    registry.drop("a")
    registry.add("a", second, "script.py sha256:1")
    registry.restore(by_script)
    assert registry.load("a") is second
    registry.add("a", first, "module __main__")
    assert registry.load("a") is first
