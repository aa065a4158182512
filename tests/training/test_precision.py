"""Half precision: where it is at work, and that a training in it goes on as it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_training import Killed, Small, constant, killer, preset, source

from lrfer_bench.contract.method import Batch, Task
from lrfer_bench.contract.preset import Preset
from lrfer_bench.training.loop import train
from lrfer_bench.training.precision import Precision

HALF = pytest.mark.parametrize("precision", ["bf16", "fp16"])
CPU = torch.device("cpu")


class Watched(Small):
    """Notes the number formats that it meets."""

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        seen = vars(self).setdefault("seen", [])
        seen.append((self.training, torch.is_autocast_enabled("cpu")))
        return super().losses(batch)

    def score(self, batch: Batch) -> torch.Tensor:
        vars(self).setdefault("scored", []).append(torch.is_autocast_enabled("cpu"))
        return super().score(batch)


class Stepped(torch.optim.SGD):
    """Notes whether autocast was at work in a step."""

    in_autocast: list[bool] = []

    def step(self, closure: object = None) -> None:  # type: ignore[override]
        self.in_autocast.append(torch.is_autocast_enabled("cpu"))
        super().step()


def small(kind: type[Small], words: Preset) -> Small:
    torch.manual_seed(5)
    return kind(Task(3, 1, (12, 12), (2,), words))


@HALF
def test_losses_are_in_it_and_steps_and_validation_are_not(precision: str) -> None:
    method = small(Watched, preset(precision=precision))
    Stepped.in_autocast = []
    optimizer = Stepped(method.parameters(), lr=0.1)
    vars(method)["optimizers"] = lambda: {"main": optimizer}
    validated: list[bool] = []

    def validate(tested: object) -> float:
        validated.append(torch.is_autocast_enabled("cpu"))
        return 0.5

    train(method, source(), validate)
    assert set(vars(method)["seen"]) == {(True, True)}
    assert set(validated) == {False} and set(Stepped.in_autocast) == {False}
    assert all(value.dtype == torch.float32 for value in method.parameters())


@HALF
def test_a_killed_training_ends_with_the_same_bits(tmp_path: Path, precision: str) -> None:
    words = preset(precision=precision)
    alone = train(small(Small, words), source(), constant)
    checkpoint = tmp_path / "c.ckpt"
    with pytest.raises(Killed):
        train(small(Small, words), source(), constant, checkpoint, killer(2 * 5 + 3))
    resumed = train(small(Small, words), source(), constant, checkpoint)
    assert all(torch.equal(alone.weights[name], resumed.weights[name]) for name in alone.weights)
    plain = train(small(Small, preset()), source(), constant)
    assert any(not torch.equal(alone.weights[n], plain.weights[n]) for n in alone.weights), (
        "it was not at work"
    )


def test_fp32_and_bf16_scale_nothing() -> None:
    assert Precision.of(preset(), CPU).scaler() is None
    assert Precision.of(preset(precision="bf16"), CPU).scaler() is None
    assert Precision.of(preset(precision="fp16"), CPU).scaler() is not None


def test_in_fp16_an_optimizer_without_a_gradient_does_nothing_as_in_fp32() -> None:
    """A loss of weight 0 leaves a network without one: `srfer[attention=0,prediction=0,ce=0]`."""
    method = small(Small, preset(precision="fp16"))
    method.scaler = Precision.of(preset(precision="fp16"), CPU).scaler()
    apart = torch.nn.Parameter(torch.ones(1))
    own = torch.optim.SGD(method.parameters(), 0.1)
    before = [weight.detach().clone() for weight in method.parameters()]
    loss = torch.stack([weight.sum() for weight in method.parameters()]).sum()
    method.descend(loss, torch.optim.SGD([apart], 0.1), own)
    assert apart.item() == 1.0
    assert all(not torch.equal(a, b) for a, b in zip(before, method.parameters(), strict=True))
    method.descend(apart.sum(), own)
