"""What a method's functions return, looked at where it is used: a slip there is one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from lrfer_bench.errors import CellError


def named_losses(given: object, function: str) -> dict[str, Tensor]:
    """The losses by name that losses() or update() of a method returned, as they are.

    CellError for anything but a dict of tensors of one element; that of update() may be empty in
    some steps. Values are not looked at: a GPU
    would have to wait.
    """
    if not isinstance(given, dict) or (not given and function == "losses"):
        what = "an empty dict" if given == {} else f"a {type(given).__name__}"
        raise CellError(
            f"{function}() returned {what}: return a dict of named losses, one or more", function
        )
    for name, loss in given.items():
        if not isinstance(loss, Tensor):
            raise CellError(
                f'the loss "{name}" is {loss!r:.60}, a {type(loss).__name__}: make it a tensor of '
                "one element, or leave it out where it is not used",
                function,
            )
        if loss.numel() != 1:
            raise CellError(
                f'the loss "{name}" has the shape {list(loss.shape)}: make it one number, such as '
                "its mean over the batch",
                function,
            )
    return given


def named_optimizers(given: object, method: nn.Module) -> dict[str, Optimizer]:
    """The optimisers by name that optimizers() of a method returned.

    CellError for anything but a dict of them, and for one that a scheduler of torch's changes: it
    has lowered the rates already, which the preset's schedule takes for the peaks.
    """
    if not isinstance(given, Mapping) or not all(
        isinstance(optimizer, Optimizer) for optimizer in given.values()
    ):
        raise CellError(
            f"its optimizers are a {type(given).__name__}: return a dict of named optimisers",
            "optimizers",
        )
    kept = [part for part in vars(method).values() if isinstance(part, LRScheduler)]
    for name, optimizer in given.items():
        if _is_scheduled(optimizer, kept):
            raise CellError(
                f'a scheduler is attached to its optimiser "{name}": take it out, the preset\'s '
                "schedule sets the learning rates",
                "optimizers",
            )
    return dict(given)


def _is_scheduled(optimizer: Optimizer, kept: Iterable[LRScheduler]) -> bool:
    """Whether a scheduler left its mark; that of ReduceLROnPlateau leaves none until it steps."""
    marked = any("initial_lr" in group for group in optimizer.param_groups)
    return marked or any(scheduler.optimizer is optimizer for scheduler in kept)
