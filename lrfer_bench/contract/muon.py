"""Muon: momentum whose update is made semi-orthogonal, for weights that a norm follows.

The form is that of Keller Jordan's airbench (github.com/KellerJordan/cifar10-airbench, 2024; see
Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024), which holds the
norm of each weight. The orthogonal factor is computed by the polynomials of Amsel, Persson, Musco
and Gower, "The Polar Express" (2025, arXiv:2505.16932), on the Gram matrix as in its section on
rectangular matrices.

torch.optim.Muon (2.9 and later) takes matrices only, holds no norm, and works in bfloat16: on a
processor without bfloat16 instructions its step took 50 times as long as this one (2.4 s against
0.045 s for the weights of lean2, one core of an AMD EPYC).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

POLYNOMIALS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
)
"""(a, b, c) of a x + b x^3 + c x^5, one a step: together they take 0.001..1 to within 0.124 of 1.
"""

MARGIN = 1.02
"""The square of what the norm is taken too large by: rounding must leave no singular value above 1.
"""

TINY = 1e-30


class Muon(torch.optim.Optimizer):
    """Semi-orthogonal updates with Nesterov momentum of 0.9, for weights of convolutions.

    For a weight W, its gradient g and momentum m:

        m <- 0.9 m + g;  u = g + 0.9 m as a matrix [out, fan_in];  o = semi_orthogonal(u);
        W <- W sqrt(out) / |W| - lr sqrt(max(1, out / fan_in)) o.

    params: floating-point tensors [out, ...] of two or more axes, or groups of them

    There is no weight decay: the norm is held. Use it only where a scale of W changes nothing, as
    before a batch norm.
    """

    def __init__(self, params: Iterable[Any], lr: float, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.ndim < 2:
                    raise ValueError(
                        f"Muon takes tensors of two or more axes, not {list(weight.shape)}"
                    )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        """One update of every weight that has a gradient; returns what closure does."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            ready = [weight for weight in group["params"] if weight.grad is not None]
            for weights in _together(ready):
                self._update_alike(weights, group["lr"], group["momentum"])
            for weight in ready:
                if not weight.is_cuda:
                    self._update(weight, weight.grad, group["lr"], group["momentum"])
        return loss

    def _momentum(self, weight: Tensor) -> Tensor:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        return state["momentum"]

    def _update_alike(self, weights: list[Tensor], lr: float, momentum: float) -> None:
        """_update() of weights of one shape at once.

        A GPU spends a step of small networks on starting kernels: this starts a quarter of them.
        """
        grads = [weight.grad for weight in weights if weight.grad is not None]
        means = [self._momentum(weight) for weight in weights]
        torch._foreach_mul_(means, momentum)
        torch._foreach_add_(means, grads)
        last = _channels_last(weights[0])
        ahead = torch._foreach_add(grads, means, alpha=momentum)
        matrices = torch.stack([_matrix(each, last) for each in ahead])
        out, fan_in = len(weights[0]), weights[0][0].numel()
        norms = torch.stack(torch._foreach_norm(weights)).clamp_min_(TINY)
        torch._foreach_mul_(weights, list((math.sqrt(out) / norms).unbind()))
        steps = [_like(step, weights[0], last) for step in semi_orthogonal_all(matrices)]
        torch._foreach_add_(weights, steps, alpha=-lr * math.sqrt(max(1.0, out / fan_in)))

    def _update(self, weight: Tensor, grad: Tensor, lr: float, momentum: float) -> None:
        mean = self._momentum(weight).mul_(momentum).add_(grad)
        ahead = grad.add(mean, alpha=momentum)
        out, fan_in = len(weight), weight[0].numel()
        weight.mul_(math.sqrt(out) / weight.norm().clamp_min(TINY))
        weight.add_(_orthogonal_like(ahead), alpha=-lr * math.sqrt(max(1.0, out / fan_in)))


def _together(weights: list[Tensor]) -> list[list[Tensor]]:
    """Those on a GPU, by shape and order in memory."""
    found: dict[tuple[torch.Size, bool], list[Tensor]] = {}
    for weight in weights:
        if weight.is_cuda:
            found.setdefault((weight.shape, _channels_last(weight)), []).append(weight)
    return list(found.values())


def _orthogonal_like(update: Tensor) -> Tensor:
    """semi_orthogonal() of [out, ...] flattened to a matrix, in the given shape."""
    last = _channels_last(update)
    return _like(semi_orthogonal(_matrix(update, last)), update, last)


def _matrix(weight: Tensor, last: bool) -> Tensor:
    """[out, ...] flattened to [out, fan_in]; last: channels last.

    A convolution's weight with channels last in memory is flattened in that order, which spares two
    copies: the order of the columns does not change the result.
    """
    return weight.permute(0, 2, 3, 1).flatten(1) if last else weight.flatten(1)


def _like(matrix: Tensor, weight: Tensor, last: bool) -> Tensor:
    """_matrix(weight, last) back in the shape of a weight."""
    if last:
        out, channels, height, width = weight.shape
        return matrix.reshape(out, height, width, channels).permute(0, 3, 1, 2)
    return matrix.reshape(weight.shape)


def _channels_last(weight: Tensor) -> bool:
    return weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last)


def semi_orthogonal(matrix: Tensor) -> Tensor:
    """U V^T of the singular value decomposition U S V^T, nearly: float [m, n] -> float [m, n].

    Singular values of 0.001 of the Frobenius norm and more come out between 0.87 and 1.13, smaller
    ones lower; a matrix of zeros stays one. Every step is a polynomial in the Gram matrix [k, k]
    with k the smaller side, so only two products are as large as the matrix itself.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return semi_orthogonal(matrix.T).T
    gram = matrix @ matrix.T
    square = gram.trace().mul_(MARGIN).clamp_min_(TINY)  # of the norm that the matrix is divided by
    gram.div_(square)
    factor = step = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for number, (a, b, c) in enumerate(POLYNOMIALS):
        if number:
            gram = step @ gram @ step  # all of them commute: polynomials of one symmetric matrix
        step = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        step.diagonal().add_(a)
        factor = step @ factor if number else step
    return (factor @ matrix).mul_(square.rsqrt())


def semi_orthogonal_all(matrices: Tensor) -> Tensor:
    """semi_orthogonal() of each, float [B, m, n] -> float [B, m, n], by batched products."""
    if matrices.shape[1] > matrices.shape[2]:
        return semi_orthogonal_all(matrices.mT).mT
    gram = matrices @ matrices.mT
    trace = gram.diagonal(dim1=1, dim2=2).sum(1)
    square = trace.mul_(MARGIN).clamp_min_(TINY)[:, None, None]
    gram = gram / square
    factor = step = gram
    for number, (a, b, c) in enumerate(POLYNOMIALS):
        if number:
            gram = step @ gram @ step
        step = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        step.diagonal(dim1=1, dim2=2).add_(a)
        factor = step @ factor if number else step
    return (factor @ matrices).mul_(square.rsqrt())
