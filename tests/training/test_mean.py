"""The running mean of the weights is a copy: what cannot be copied is named."""

from __future__ import annotations

import threading

import pytest
import torch
from small_training import Small, constant, fresh, source
from torch import nn

from lrfer_bench.errors import CellError
from lrfer_bench.training.loop import train
from lrfer_bench.training.mean import RunningMean


def with_weight_norm(wrap: object) -> Small:
    method = fresh(ema=0.9)
    method.net[0] = wrap(method.net[0])  # type: ignore[operator]
    return method


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
def test_a_weight_that_cannot_be_copied_is_named_with_what_to_use_instead() -> None:
    with pytest.raises(CellError) as error:
        train(with_weight_norm(nn.utils.weight_norm), source(), constant)
    words = str(error.value)
    assert words.startswith('"net.0.weight" of Small cannot be copied for the running mean')
    assert "torch.nn.utils.parametrizations.weight_norm" in words and "\n" not in words
    assert error.value.function == "__init__"


def test_what_it_says_to_use_instead_can_be_used() -> None:
    trained = train(with_weight_norm(nn.utils.parametrizations.weight_norm), source(), constant)
    assert "net.0.parametrizations.weight.original0" in trained.weights


def test_any_other_part_that_cannot_be_copied_is_named() -> None:
    method = fresh()
    method.net[2].guard = threading.Lock()
    with pytest.raises(
        CellError, match=r'"net\.2\.guard" of Small .*TypeError: .*where it is used'
    ):
        RunningMean(method)


def test_a_class_that_refuses_to_be_copied_is_a_sentence() -> None:
    class Single(nn.Identity):
        def __deepcopy__(self, memo: object) -> Single:
            raise RuntimeError("there is one of me")

    method = fresh()
    method.net.append(Single())
    with pytest.raises(CellError, match=r"Small cannot be copied .*there is one of me"):
        RunningMean(method)


def test_the_mean_and_its_method_share_no_tensor() -> None:
    method = fresh()
    mean = RunningMean(method)
    with torch.no_grad():
        method.net[0].weight.add_(1.0)
    assert not torch.equal(method.net[0].weight, mean.method.net[0].weight)  # type: ignore[operator, union-attr, index]


def test_a_tied_weight_moves_once_a_step() -> None:
    method = fresh()
    with torch.no_grad():
        for weight in method.parameters():
            weight.zero_()
        method.net.append(method.net[0])  # one layer under two names
        mean = RunningMean(method)
        for weight in method.parameters():
            weight.fill_(1.0)
    mean.update(0.9)
    for weight in mean.method.parameters():
        torch.testing.assert_close(weight, torch.full_like(weight, 0.1))
