"""Protocols of plugins that would give methods different faces are refused, with the line."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import registries
import torch
from in_process import lrfer
from made import data_ref

from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import PROTOCOLS
from lrfer_bench.predicting.faces import Faces, low_faces
from lrfer_bench.protocols.golden import check_steady, opened, protocol_hash
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.training.batches import make_batch

HEAD = """
import os
import random
import numpy as np
import torch
from lrfer_bench.api import Protocol, register_protocol


@register_protocol("made")
class Made(Protocol):
    name = "made"

    def degrade(self, hr, size, scale, seeds):
        small = hr[:, :, ::scale, ::scale].float()
"""
LINE = HEAD.count("\n") - 1
OWN = "torch.stack([torch.randn(f.shape, generator=torch.Generator().manual_seed(s)) for f, s in "
FAULTS = {
    "torch": ("small += 9 * torch.randn_like(small)", "the global generator of torch,"),
    "torch-seed": ("torch.manual_seed(int(seeds[0]))", "the global generator of torch,"),
    "numpy": ("np.random.seed(3)", "the global generator of numpy,"),
    "python": ("small += random.randrange(99)", "the global generator of Python,"),
    "fresh": (
        "small += torch.tensor(np.random.default_rng().normal(0, 9, small.shape)).float()",
        "other bytes of the same faces and seeds",
    ),
    "first-seed": (
        "small += 9 * torch.randn(small.shape, generator=torch.Generator().manual_seed("
        "int(seeds[0])))",
        "other bytes of a face when others",
    ),
    "batch-mean": ("small -= small.mean()", "other bytes of a face when others"),
    "one": ("small = small.squeeze(0)[:, None][:, 0]", "fails on a batch of one face"),
    "grey": (
        "small = 9 * torch.randn(small.shape) + small.reshape(len(hr), 1, *size)",
        "the global generator of torch,",
    ),
}
SOUND = {
    "plain": "pass",
    "seeded": f"small += 9 * {OWN}zip(small, seeds.tolist())])",
    "by-hand": "hr[:] = 0",
    "rounding": "small[0, 0, 0, 0] += len(small)",
    "no-scale": "raise ValueError('for other faces')",
}


@pytest.fixture
def load(tmp_path: Path) -> Iterator[object]:
    def loaded(line: str) -> Path:
        path = tmp_path / "made.py"
        path.write_text(f"{HEAD}        {line}\n        return small.clamp(0, 255).byte()\n")
        load_plugin(path)
        return path

    with registries.pristine():
        yield loaded


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_not_the_same_each_time_is_refused(name: str, load) -> None:  # type: ignore[no-untyped-def]
    line, words = FAULTS[name]
    path = load(line)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # type: ignore[index]
    for ask in (lambda: opened("made", (4,)), lambda: protocol_hash(protocol_of("made"))):
        with pytest.raises(UserError, match=words) as caught:
            ask()
        assert f"({path}:{LINE})" in str(caught.value)
    assert torch.equal(torch.get_rng_state(), before[0]) and random.getstate() == before[2]
    assert np.array_equal(np.random.get_state()[1], before[1])  # type: ignore[index]


@pytest.mark.parametrize("name", SOUND)
def test_what_is_the_same_each_time_is_taken(name: str, load) -> None:  # type: ignore[no-untyped-def]
    load(SOUND[name])
    assert opened("made").id == "made@1"


def test_runs_and_commands_refuse_it(load, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    load(FAULTS["torch"][0])
    for words in ({"protocols": ["made"]}, {"test_protocols": ["made"]}):
        with pytest.raises(UserError, match="cannot be used: it seeds or draws"):
            build_plan(Request(methods=["direct"], scales=[2], **words), data_ref())
    with pytest.raises(UserError, match="cannot be used: it seeds or draws"):
        low_faces(Faces(None, "test", (0,)), ["made"], [2])  # type: ignore[arg-type]
    done = lrfer("protocols", "show", "made")
    assert done.status == 2 and "cannot be used: it seeds or draws" in done.err and not done.out
    done = lrfer("doctor", "--results", tmp_path)
    assert done.status == 0 and "protocol made: left out: protocol made@1 cannot be" in done.out


@pytest.mark.parametrize("scales", [[2] * 4, [2, 4] * 2], ids=["one scale", "two scales"])
def test_a_protocol_that_writes_into_its_input_spoils_no_hr_face(scales: list[int]) -> None:
    class Blot(Bicubic):
        def degrade(self, hr, size, scale, seeds):  # type: ignore[no-untyped-def]
            hr[:, :, :8] = 0
            return super().degrade(hr, size, scale, seeds)

    hr = torch.full((4, 1, 16, 16), 200, dtype=torch.uint8)
    labels, seeds, scale = torch.zeros(4).long(), torch.arange(4), torch.tensor(scales)
    batch = make_batch(hr, labels, scale, seeds, Blot(), None, torch.device("cpu"))
    assert bool((batch.hr == 200).all())
    assert all(bool((part[:, :, :2] < 200).all()) for part in batch.lr_parts.values())


def test_built_in_protocols_are_given_the_faces_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(not protocol_of(name).guarded for name in (*PROTOCOLS.names(), "hr"))
    seen = []
    monkeypatch.setattr(Bicubic, "degrade", lambda self, hr, *rest: seen.append(hr) or hr[..., :1])
    hr = torch.zeros((1, 1, 2, 1), dtype=torch.uint8)
    with pytest.raises(UserError):
        protocol_of("bicubic").apply(hr, 2, torch.tensor([0]))
    assert seen[0] is hr


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_built_in_protocols_are_steady_and_leave_their_input(name: str) -> None:
    """Nothing asks this of them in a run."""
    protocol: Protocol = PROTOCOLS.load(name)()
    check_steady(protocol)
    protocol.guarded = False
    hr = torch.randint(0, 256, (3, 1, 24, 24), dtype=torch.uint8)
    before = hr.clone()
    protocol.apply(hr, 4, torch.arange(3))
    protocol.apply(hr, 5, torch.arange(3))
    assert torch.equal(hr, before)
