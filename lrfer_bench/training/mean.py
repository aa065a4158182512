"""The running mean of a method's weights, which is what validation and tests see."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from lrfer_bench.contract.method import Method
from lrfer_bench.errors import CellError


class RunningMean:
    """A copy of a method whose weights follow the trained ones.

    method: the copy, in eval mode; stages are shared with the trained method, not copied

    Raises CellError for a method that cannot be copied.
    """

    def __init__(self, trained: Method) -> None:
        shared = {id(stage): stage for stage in trained.stages.values()}
        try:
            self.method: Method = copy.deepcopy(trained, dict(shared))
        except Exception as error:
            raise CellError(_uncopied(trained, shared, error), "__init__") from error
        self.method.eval()
        self.method.requires_grad_(False)
        self._trained = trained
        self._pair_up()

    def _pair_up(self) -> None:
        """Keep the tensors of both state_dicts side by side.

        To list them anew would cost as much as the update.
        """
        means = self.method.state_dict(keep_vars=True).values()
        values = self._trained.state_dict().values()
        # tied weights stand under two names, and have to be moved once
        once = {id(a): (a.detach(), b) for a, b in zip(means, values, strict=True)}
        pairs = list(once.values())
        self._floats = [(a, b) for a, b in pairs if a.dtype.is_floating_point]
        self._others = [(a, b) for a, b in pairs if not a.dtype.is_floating_point]
        self._buffers = _buffers(self._trained) + _buffers(self.method)

    @torch.no_grad()
    def update(self, decay: float) -> None:
        """mean <- decay * mean + (1 - decay) * trained; counters are copied."""
        if any(home.get(name) is not buffer for home, name, buffer in self._buffers):
            self._pair_up()  # a method has put another tensor in the place of a buffer
        means, values = [a for a, _ in self._floats], [b for _, b in self._floats]
        torch._foreach_lerp_(means, values, 1.0 - decay)
        for a, b in self._others:
            a.copy_(b)


def _uncopied(trained: Method, shared: dict[int, Method], error: Exception) -> str:
    """Which part of a method cannot be copied, and what to write in its place."""
    whose = type(trained).__name__
    for path, module in trained.named_modules():
        for name, part in vars(module).items():
            # The modules in it have a turn of their own, so the innermost one is named.
            if name == "_modules" or _can_be_copied(part, dict(shared)):
                continue
            what = f"{path}.{name}" if path else name
            start = f'"{what}" of {whose} cannot be copied for the running mean of the weights'
            if isinstance(part, Tensor) and part.grad_fn is not None:
                return (
                    f"{start}, since it is computed from other tensors in __init__: compute it in "
                    "forward(), and for weight norm take "
                    "torch.nn.utils.parametrizations.weight_norm"
                )
            return (
                f"{start} ({type(error).__name__}: {error}): make it where it is used, or keep it "
                "outside of the method"
            )
    return (
        f"{whose} cannot be copied for the running mean of the weights ({type(error).__name__}: "
        f"{error}): build it of parts that copy.deepcopy() takes"
    )


def _can_be_copied(part: object, memo: dict[int, Any]) -> bool:
    try:
        copy.deepcopy(part, memo)
    except Exception:
        return False
    return True


def _buffers(method: Method) -> list[tuple[dict[str, Tensor | None], str, Tensor | None]]:
    """Where every buffer hangs, its name there, and the tensor."""
    return [
        (module._buffers, name, buffer)
        for module in method.modules()
        for name, buffer in module._buffers.items()
    ]


def decay_since(decay: float, step: int, since: int) -> float:
    """The decay of an update at a step (0, 1, ...) that stands for the last `since` steps.

    Early on the mean covers a tenth of what has been, or it would remember the initial weights.
    """
    return float(min(decay, (1 + step) / (10 + step)) ** since)
