"""The words of --device, on machines with and without GPUs."""

from __future__ import annotations

import pytest
import torch

from lrfer_bench.errors import UserError
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.engines.local import default_workers


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: request.param)


@pytest.mark.parametrize("gpus", [2], indirect=True)
@pytest.mark.parametrize(
    ("word", "devices"),
    [
        (None, ["cuda:0", "cuda:1"]), ("cuda", ["cuda:0", "cuda:1"]), ("cuda:1", ["cuda:1"]),
        ("cpu", ["cpu"]),
    ],
)  # fmt: skip
def test_a_machine_with_two_gpus(gpus: None, word: str | None, devices: list[str]) -> None:
    assert devices_of(word) == devices
    if word != "cpu":
        assert default_workers(word) == len(devices)


@pytest.mark.parametrize("gpus", [0, 1], indirect=True)
@pytest.mark.parametrize(
    "word", ["cuda:7", "mps", "gpu", "cuda:", "cuda:-1", "cuda:1111", "CPU", ""]
)
def test_what_is_not_there_is_one_sentence(gpus: None, word: str) -> None:
    with pytest.raises(UserError, match="device"):
        devices_of(word)


@pytest.mark.parametrize("gpus", [0], indirect=True)
def test_a_machine_without(gpus: None) -> None:
    assert devices_of(None) == ["cpu"]
    with pytest.raises(UserError, match="sees no GPU"):
        devices_of("cuda")
