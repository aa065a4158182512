"""Parameters and multiply-adds of networks whose numbers are known by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from made import data_ref, tiny_preset
from torch import Tensor, nn

from lrfer_bench.contract.method import Method
from lrfer_bench.running.cost import macs_used, parameters_used

FACES = torch.zeros(1, 1, 8, 8)
PLACES, WIDTH = 16, 64
"""Of what attentions and recurrent layers see."""


class Answers(Method):
    """Answers by a part of its own; its words are 16 places of 64 channels."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__(data_ref(side=16).task((2,), tiny_preset(), {}))
        self.part = part

    def forward(self, lr: Tensor) -> Tensor:
        words = torch.zeros(len(lr), PLACES, WIDTH)
        part: Any = self.part
        if isinstance(part, nn.MultiheadAttention):
            return part(words, words, words)[0].mean(1)
        found = part(words)
        return (found[0] if isinstance(found, tuple) else found).mean(1)


ATTENTION = 4 * PLACES * WIDTH * WIDTH + 2 * PLACES * PLACES * WIDTH
"""Three projections and the one behind, and two products of places with places."""


@pytest.mark.parametrize(("part", "macs"), [
    (lambda: nn.MultiheadAttention(WIDTH, 4, batch_first=True), ATTENTION),
    (lambda: nn.TransformerEncoderLayer(WIDTH, 4, 128, batch_first=True),
     ATTENTION + 2 * PLACES * WIDTH * 128),
    (lambda: nn.LSTM(WIDTH, WIDTH, batch_first=True), PLACES * 2 * 4 * WIDTH * WIDTH),
    (lambda: nn.Linear(WIDTH, 32), PLACES * WIDTH * 32),
], ids=["attention", "transformer", "lstm", "linear"])  # fmt: skip
def test_by_hand(part: Any, macs: int) -> None:
    method = Answers(part()).eval()
    assert macs_used(method, FACES) == macs
    assert parameters_used(method, FACES) == sum(p.numel() for p in method.parameters())
    assert torch.backends.mha.get_fastpath_enabled(), "as it was"


class Odd(nn.Module):
    """Has parameters that torch calls nothing for, and a part that is not used."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.unused = nn.Linear(WIDTH, 3), nn.Linear(WIDTH, 5)
        self.scale = nn.Parameter(torch.ones(WIDTH))
        self.biases = nn.ParameterList([torch.zeros(3), torch.zeros(3)])

    def head(self, words: Tensor) -> Tensor:
        return self.linear(words * self.scale) + self.biases[0] + self.biases[1]


class ByMethod(Answers):
    def forward(self, lr: Tensor) -> Tensor:
        odd: Any = self.part
        return odd.head(torch.zeros(len(lr), WIDTH))


def test_a_module_whose_own_methods_are_called_counts_without_what_it_does_not_use() -> None:
    assert parameters_used(ByMethod(Odd()).eval(), FACES) == WIDTH * 3 + 3 + WIDTH + 2 * 3
