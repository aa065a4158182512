"""A model that exists already becomes a plugin file whose hash is the model's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import registries
import torch
from made import data_ref
from small_models import plan_of
from torch import nn

from lrfer_bench.errors import UserError
from lrfer_bench.nets.existing import Existing
from lrfer_bench.pixels import enlarge
from lrfer_bench.plugins import contents
from lrfer_bench.plugins.existing import model_plugin
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running.models import untrained

NET = """import os
from torch import nn


class TinyNet(nn.Module):
    '''Of somebody's.'''

    classes = ("class 0", "class 1")

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, faces):
        return self.linear(faces[:, 0, :2, :2].flatten(1))


def made(): return TinyNet()
NUMBER = 3
"""


class Here(nn.Module):
    """Not in a file of its own."""

    classes = ("class 0", "class 1")

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return faces[:, 0, 0, :2]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(contents, "_SEEN", {})
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    for number in (0, 1):
        state = {"linear.weight": torch.full((2, 4), float(number)), "linear.bias": torch.zeros(2)}
        torch.save(state, f"net{number}.pth")
    with registries.kept():
        yield


def key(model: Any, weights: str | None = None, **words: Any) -> str:
    name, _ = model_plugin(model, Path(weights) if weights else None, **words)
    (cell,) = plan_of([name], (2,), ref=data_ref(classes=2)).cells.values()
    assert cell.existing and not cell.training and not cell.stages
    return cell.key


def test_source_weights_name_and_classes_are_the_key_and_no_path_is() -> None:
    first = key("net.py:TinyNet", "net0.pth")
    assert key("net.py:TinyNet", "net0.pth") == first
    Path("elsewhere").mkdir()
    for name in ("net.py", "net0.pth"):
        Path("elsewhere", name).write_bytes(Path(name).read_bytes())
    assert key("elsewhere/net.py:TinyNet", "elsewhere/net0.pth") == first
    others = {
        key("net.py:TinyNet", "net1.pth"),
        key("net.py:TinyNet", "net0.pth", name="other"),
        key("net.py:TinyNet", "net0.pth", classes=["class 1", "class 0"]),
        key("net.py:made", "net0.pth"),
    }
    Path("net.py").write_text(NET + "# edited\n")
    others |= {key("net.py:TinyNet", "net0.pth")}
    assert len(others | {first}) == 6


def test_the_file_is_the_source_and_a_line_behind_it() -> None:
    name, file = model_plugin("net.py:TinyNet", Path("net0.pth"))
    assert (name, file.name) == ("tiny-net", "net.py")
    lines = file.read_text().splitlines()
    assert lines[: len(NET.splitlines())] == NET.splitlines(), "line numbers are the author's"
    entry = METHODS.entry(name)
    assert issubclass(entry.load(), Existing) and entry.source.startswith("net.py sha256:")
    assert entry.load().card.summary == "Of somebody's."


def test_any_encoding_that_python_reads() -> None:
    text = "# -*- coding: latin-1 -*-\n" + NET.replace("Of somebody's.", "Für ö.")
    Path("odd.py").write_bytes(b"".join((text.encode("latin-1"), b"X = 1")))  # no last new line
    assert model_plugin("odd.py:TinyNet", Path("net0.pth"))[0] == "tiny-net"


def test_a_class_or_function_of_a_module() -> None:
    name, _ = model_plugin(Here)
    assert name == "here" and METHODS.entry(name).source.startswith("test_existing.py sha256:")
    assert key(Here) == key(Here)
    model = METHODS.load(name)
    assert model.stands_for is Here or model.stands_for.__name__ == "Here"


@pytest.mark.parametrize(
    ("model", "words", "said"),
    [
        ("net.py", {}, "write FILE.py:CLASS"),
        ("net.py:", {}, "write FILE.py:CLASS"),
        ("net.pth:Net", {}, "write FILE.py:CLASS"),
        ("none.py:Net", {}, "none.py cannot be read"),
        ("net.py:TinyNett", {}, 'did you mean "TinyNet"'),
        ("net.py:NUMBER", {}, "3 is a int: name the class"),
        ("net.py:os", {}, "name the class"),
        ("net.py:TinyNet", {"weights": Path("no.pth")}, r"weights=no.pth cannot be read"),
        ("net.py:TinyNet", {"name": "direct"}, '"direct", which is a method of lrfer-bench'),
        ("net.py:TinyNet", {"name": "a b"}, 'cannot be called "a b"'),
        ("wrong.py:Net", {}, r"wrong.py is not Python: .*wrong.py:1"),
        ("sibling.py:Net", {}, "No module named 'nobodys'.*sibling.py:1"),
        (3, {}, "the model is a int"),
        (nn.ReLU(), {}, "the model is a ReLU"),
    ],
)
def test_mistakes_are_one_sentence(model: Any, words: dict[str, Any], said: str) -> None:
    Path("wrong.py").write_text("def f(:\n")
    Path("sibling.py").write_text("from nobodys import Net\n")
    with pytest.raises(UserError, match=said) as caught:
        model_plugin(model, **words)
    assert "\n" not in str(caught.value)


def test_a_method_is_sent_to_run() -> None:
    Path("mine.py").write_text(
        "from lrfer_bench.api import Method\nclass Mine(Method):\n    pass\n"
    )
    with pytest.raises(UserError, match="Mine is a method of lrfer-bench: run it with"):
        model_plugin("mine.py:Mine")


OLD = """from torch import nn
import torch


class Old(nn.Module):
    classes = ("a", "b")

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=8, bias=False)
        self.dynamic = nn.Parameter(torch.ones(2, 1, 1, 1, 1))
        self.linear = nn.Linear(144, 2, bias=False)

    def forward(self, faces):
        maps = self.conv(faces * self.dynamic.sum((0, 1)))
        return self.linear(maps.view(faces.size(0), -1))
"""


def test_maps_that_are_viewed_and_weights_of_five_axes_are_taken_as_a_worker_builds_them() -> None:
    Path("old.py").write_text(OLD)
    torch.manual_seed(0)
    weights = {"conv.weight": torch.randn(4, 1, 3, 3), "dynamic": torch.ones(2, 1, 1, 1, 1),
               "linear.weight": torch.randn(2, 144)}  # fmt: skip
    torch.save(weights, "old.pth")
    name, _ = model_plugin("old.py:Old", Path("old.pth"))
    plan = plan_of([name], (2,), ref=data_ref(classes=2))
    (cell,) = plan.cells.values()
    faces = torch.randint(0, 256, (3, 1, 24, 24), dtype=torch.uint8)
    model = untrained(cell, plan).eval()
    maps = nn.functional.conv2d(2 * enlarge(faces, (48, 48)), weights["conv.weight"], stride=8)
    torch.testing.assert_close(model(faces), maps.flatten(1) @ weights["linear.weight"].T)
