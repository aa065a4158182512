"""What the shell is told on Tab: names of things, read without importing any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import click
from click.shell_completion import CompletionItem

from lrfer_bench.planning import defaults

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
Names = Callable[[], Iterable[str]]


def methods() -> Iterable[str]:
    from lrfer_bench.plugins.registry import METHODS

    return METHODS.names()


def datasets() -> Iterable[str]:
    from lrfer_bench.plugins.registry import DATASETS

    return DATASETS.names()


def protocols() -> Iterable[str]:
    from lrfer_bench.plugins.registry import PROTOCOLS

    return PROTOCOLS.names()


def presets() -> Iterable[str]:
    """Names first, then those with a version."""
    from lrfer_bench.contract.preset import PRESETS

    return [*dict.fromkeys(preset.name for preset in PRESETS.values()), *PRESETS]


def scales() -> Iterable[str]:
    return map(str, defaults.SCALES)


def engines() -> Iterable[str]:
    from lrfer_bench.running.engines import ENGINES

    return ENGINES


def logs() -> Iterable[str]:
    return ("tensorboard",)  # running/training_log.py, LOGS: to import it would import torch


def one(names: Names) -> Complete:
    """Completes one name; where none begins so, a file may be meant."""

    def complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
        found = [CompletionItem(name) for name in names() if name.startswith(typed)]
        return found or [CompletionItem(typed, type="file")]

    return complete


def several(names: Names) -> Complete:
    """Completes the last name of a list with commas; those before it are not offered again."""

    def complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
        before, comma, last = typed.rpartition(",")
        taken = set(before.split(","))
        return [
            CompletionItem(f"{before}{comma}{name}")
            for name in names()
            if name.startswith(last) and name not in taken
        ]

    return complete


BY_PARAMETER: dict[str, Complete] = {
    "method": one(methods), "methods": several(methods), "a": one(methods), "b": one(methods),
    "restored": several(methods),
    "dataset": one(datasets), "datasets": several(datasets),
    "protocol": one(protocols), "protocols": several(protocols),
    "test_protocols": several(protocols),
    "preset": one(presets), "engine": one(engines), "log": one(logs),
    "scales": several(scales), "test_scales": several(scales),
}  # fmt: skip
"""For every command: a parameter of this name means the same wherever it stands."""


def complete_by_name(params: Iterable[click.Parameter]) -> None:
    """Give parameters their completion."""
    for param in params:
        found = BY_PARAMETER.get(param.name or "")
        if found is not None:
            param.shell_complete = partial(_of, param, found)  # type: ignore[method-assign]


def _of(
    param: click.Parameter, complete: Complete, ctx: click.Context, incomplete: str
) -> list[CompletionItem]:
    return complete(ctx, param, incomplete)
