"""Protocols of plugins need not take the golden picture: their data set is another matter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import registries
from in_process import lrfer
from toy import Toy

from lrfer_bench.contract.condition import Condition
from lrfer_bench.data.cache import prepare
from lrfer_bench.data.lowres import lr_images
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.protocols.golden import protocol_hash, tried

ODD = """
from lrfer_bench.api import Protocol, UserError, register_protocol


@register_protocol("grey")
class Grey(Protocol):
    name = "grey"

    def degrade(self, hr, size, scale, seeds):
        return hr[:, :, ::scale, ::scale].reshape(len(hr), 1, *size)


@register_protocol("even")
class Even(Protocol):
    name = "even"

    def degrade(self, hr, size, scale, seeds):
        if scale not in (2, 4):
            raise UserError("even has the scales 2 and 4")
        return hr[:, :, ::scale, ::scale].contiguous()


@register_protocol("nothing")
class Nothing(Protocol):
    name = "nothing"

    def degrade(self, hr, size, scale, seeds):
        pass


@register_protocol("abstract")
class Abstract(Protocol):
    name = "abstract"


@register_protocol("other")
class Other:
    pass


@register_protocol("nameless")
class Nameless(Even):
    name = None
"""


@pytest.fixture(autouse=True)
def odd_protocols(tmp_path: Path) -> Iterator[None]:
    path = tmp_path / "odd.py"
    path.write_text(ODD)
    with registries.pristine():
        load_plugin(path)
        yield


@pytest.mark.parametrize("name", ["grey", "even"])
def test_what_works_for_the_faces_is_used(name: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "seed.txt").write_text("1")
    data = prepare(Toy(), "toy", root, cache=tmp_path / "cache")
    low = lr_images(data, "test", Condition(f"{name}@1", (2,)))
    np.testing.assert_array_equal(low, data.faces.test.images[:, :, ::2, ::2])


def test_golden_outputs_that_there_are_stay_in_the_hash() -> None:
    even = protocol_of("even")
    made, refused = tried(even)
    assert list(made) == [2, 4] and refused == dict.fromkeys((3, 8), "even has the scales 2 and 4")
    assert len({protocol_hash(protocol_of(name)) for name in ("grey", "even", "nothing")}) == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "grey",
            "nothing of the golden picture (colour, 48x50 pixels) at x2, x3, x4, x8 (x2: Runt",
        ),
        ("even", "at x3, x8 (x3: even has the scales 2 and 4)"),
        ("nothing", "nothing@1 returned a NoneType: it has to return a tensor uint8"),
    ],
)
def test_show_says_what_a_protocol_cannot_do(name: str, said: str) -> None:
    for words in (("protocols", "show", name), ("protocols", "show", name, "--json")):
        done = lrfer(*words)
        assert done.status == 0 and said in done.out and not done.err, done.out + done.err


def test_lists_go_on_after_what_is_no_protocol(tmp_path: Path) -> None:
    wrong = {
        "abstract": "register a class with degrade() and an __init__ without arguments",
        "other": "derive its class from lrfer_bench.api.Protocol",
        "nameless": 'write name = "nameless" into its class',
    }
    listed, doctor = lrfer("protocols", "list"), lrfer("doctor", "--results", tmp_path)
    assert listed.status == doctor.status == 0
    assert "even@1" in listed.out and "protocol grey@1: no golden arrays" in doctor.out
    for name, said in wrong.items():
        assert f"left out: {name}: " in listed.err and said in listed.err
        assert f"protocol {name}: left out: " in doctor.out and said in doctor.out
        shown = lrfer("protocols", "show", name)
        assert shown.status == 2 and said in shown.err and "Traceback" not in shown.err
