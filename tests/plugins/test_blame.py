"""The line that a message shows is the author's, not the harness' and not a library's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import registries

import lrfer_bench
from lrfer_bench.plugins.blame import _foreign, last_place, line_of, own_place, place_of
from lrfer_bench.plugins.registry import METHODS

PACKAGE = os.path.dirname(lrfer_bench.__file__)


def test_last_place_is_the_authors_line(tmp_path: Path) -> None:
    """An error deep in torch is shown at the line of the plugin that led there."""
    import torch

    file = tmp_path / "mistake.py"
    file.write_text(
        "import torch\n\n\ndef f(x):\n    return torch.nn.functional.cross_entropy(x, x.long()[:, "
        ":1])\n"
    )
    space: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    with pytest.raises((RuntimeError, ValueError)) as caught:
        space["f"](torch.zeros(2, 3))
    assert last_place(caught.value) == f"{file}:5"


@pytest.mark.parametrize(
    ("file", "foreign"),
    [
        (f"{PACKAGE}/training/loop.py", True),
        (f"{PACKAGE}/errors.py", True),
        (f"{PACKAGE}/methods/mine.py", False),
        (f"{PACKAGE}/datasets/mine.py", False),
        (f"{PACKAGE}_extras/mine.py", False),
        (os.__file__, True),
        ("/somewhere/site-packages/torch/nn/functional.py", True),
        ("/somewhere/site-packages/torchvision/models/resnet.py", True),
        ("/somewhere/dist-packages/einops/einops.py", True),
        ("/somewhere/site-packages/any_library.py", True),
        ("/somewhere/site-packages/lrfer_bench_extras/mine.py", True),
        ("/somewhere/site-packages/my_plugin/nets/mine.py", False),
        ("/somewhere/dist-packages/my_module.py", False),
        ("/somewhere/my_plugin/mine.py", False),
        ("<string>", True),
    ],
)
def test_whose_file_it_is(file: str, foreign: bool) -> None:
    """A plugin may be an installed package: those that registered something are authors'."""
    with registries.kept():
        METHODS.add("mine", "my_plugin.method:Mine", "my-plugin 1.0")
        METHODS.add("other", "my_module:Other", "my-module 1.0")
        assert _foreign(file) == foreign


def test_an_error_of_the_harness_alone_has_no_own_place() -> None:
    error = ValueError("never raised")
    assert own_place(error) == "" and last_place(error) == "no place known"


class Base:
    def losses(self) -> None: ...


class Derived(Base): ...


def test_a_function_is_shown_where_it_is_written() -> None:
    line = Base.losses.__code__.co_firstlineno
    assert place_of(Derived, "losses") == f"{__file__}:{line}"
    assert place_of(Derived, "forward") == __name__
    assert line_of(Base) == f"{__file__}:{line - 1}" and line_of(3) == "no place known"
