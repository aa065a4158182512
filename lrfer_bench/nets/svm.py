"""A linear support vector machine as a module: fitted by scikit-learn, kept as two buffers.

So it is stored like weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

NEVER = -1e3
"""The decision value of a class that no training face has."""


class LinearSVM(nn.Module):
    """[B, D] -> one-vs-rest decision values [B, classes]."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, inputs), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(classes), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight, self.bias)

    @torch.no_grad()
    def fit(self, x: Tensor, labels: Tensor) -> None:
        """Fit to embeddings float [N, D] and labels int64 [N] (C = 1, squared hinge loss).

        The same data give the same bits.
        """
        from sklearn.svm import LinearSVC

        machine = LinearSVC(dual=False, random_state=0).fit(
            x.cpu().double().numpy(), labels.cpu().numpy()
        )
        weight, bias = torch.from_numpy(machine.coef_), torch.from_numpy(machine.intercept_)
        if len(machine.classes_) == 2:  # scikit-learn keeps one row for both
            weight, bias = torch.cat([-weight, weight]), torch.cat([-bias, bias])
        known = torch.from_numpy(machine.classes_)
        self.weight.zero_()
        self.bias.fill_(NEVER)
        self.weight[known] = weight.to(self.weight)
        self.bias[known] = bias.to(self.bias)
