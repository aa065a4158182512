"""Weights that are read later, or not at all: those of a trained model are loaded over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from torch import nn

Later = list[tuple[nn.Module, Callable[[], object]]]
_later: ContextVar[Later | None] = ContextVar("filled_later", default=None)


def waiting() -> Later | None:
    """Where to put what is read later; None outside of filled_later(), where it is read at once."""
    return _later.get()


@contextmanager
def filled_later() -> Iterator[Later]:
    """Within, networks keep their random weights: a model's own are loaded over them afterwards.

    So a trained model can be built where the weights that it started from are gone. Gives
    (network, function that reads its weights), for networks that the model does not hold.
    """
    found: Later = []
    token = _later.set(found)
    try:
        yield found
    finally:
        _later.reset(token)


def postponed(create: Callable[[bool], nn.Module]) -> nn.Module:
    """A network that create(True) makes with weights; within filled_later() one without them.

    create: makes the network, True: with its pretrained weights
    """
    later = _later.get()
    if later is None:
        return create(True)
    net = create(False)
    later.append((net, lambda: net.load_state_dict(create(True).state_dict())))
    return net


def fill_others(method: nn.Module, waiting: Later) -> None:
    """Read the weights of networks that are no part of a module: its own state has not them."""
    own = set(method.modules())
    for net, fill in waiting:
        if net not in own:
            fill()
