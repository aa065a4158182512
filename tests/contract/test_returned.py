"""What a method's functions return is looked at where it is used; a slip is one sentence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_training import Small, constant, fresh, source
from torch.optim import SGD
from torch.optim.lr_scheduler import LinearLR, OneCycleLR, ReduceLROnPlateau

from lrfer_bench.contract.returned import named_losses, named_optimizers
from lrfer_bench.errors import CellError
from lrfer_bench.training.loop import train


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (torch.zeros(()), "returned a Tensor: return a dict"),
        ({}, "returned an empty dict"),
        ({"kd": 0.0}, 'the loss "kd" is 0.0, a float: make it a tensor of one element, or leave'),
        ({"kd": torch.zeros(6)}, r'the loss "kd" has the shape \[6\]: make it one number'),
    ],
)
def test_losses_that_cannot_be_summed(given: Any, words: str) -> None:
    with pytest.raises(CellError, match=words) as error:
        named_losses(given, "losses")
    assert error.value.function == "losses"


def test_losses_stay_as_they_are() -> None:
    given = {"ce": torch.zeros(()), "kd": torch.zeros((1, 1))}
    assert named_losses(given, "losses") is given


@pytest.mark.parametrize("function", ["losses", "update"])
def test_a_training_with_a_plain_number_for_a_loss_is_a_sentence(function: str) -> None:
    class Plain(Small):
        pass

    setattr(Plain, function, lambda *_: {"kd": 0.0})
    method = Plain(fresh().task)
    with pytest.raises(CellError, match=r'the loss "kd" is 0\.0') as error:
        train(method, source(), constant)
    assert error.value.function == function


SCHEDULERS = {
    "linear": lambda optimizer: LinearLR(optimizer, 0.01),
    "one cycle": lambda optimizer: OneCycleLR(optimizer, 0.1, total_steps=9),
    "plateau": ReduceLROnPlateau,  # it leaves no mark on its optimiser
}


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_training_takes_no_scheduler_beside_the_presets_schedule(scheduler: str) -> None:
    class Scheduled(Small):
        def optimizers(self) -> dict[str, torch.optim.Optimizer]:
            optimizer = SGD(self.parameters(), lr=0.1)
            self.scheduler = SCHEDULERS[scheduler](optimizer)
            return {"own": optimizer}

    with pytest.raises(CellError, match='scheduler is attached to its optimiser "own"') as error:
        train(Scheduled(fresh().task), source(), constant)
    assert error.value.function == "optimizers"


def test_a_scheduler_of_another_optimiser_is_none_of_ours() -> None:
    method = fresh()
    method.aside = LinearLR(SGD(method.parameters(), lr=0.1))  # type: ignore[assignment]
    assert list(named_optimizers(method.optimizers(), method)) == ["main"]


def test_an_optimiser_alone_is_no_dict() -> None:
    with pytest.raises(CellError, match="are a SGD: return a dict"):
        named_optimizers(SGD(fresh().parameters(), lr=0.1), fresh())
