"""Registries that forget what a test registered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lrfer_bench.plugins.registry import PLUGIN_ERRORS, REGISTRIES


@contextmanager
def kept() -> Iterator[None]:
    """Afterwards names, plugin errors and plugin modules are those of before; inside, no plugin is broken."""
    for registry in REGISTRIES:
        registry.names()  # the entry points are read once
    entries, errors, modules = (
        [dict(registry._entries) for registry in REGISTRIES],
        dict(PLUGIN_ERRORS),
        set(sys.modules),
    )
    PLUGIN_ERRORS.clear()
    try:
        yield
    finally:
        for registry, before in zip(REGISTRIES, entries, strict=True):
            registry._entries = before
        PLUGIN_ERRORS.clear()
        PLUGIN_ERRORS.update(errors)
        for name in set(sys.modules) - modules:
            if name.startswith(
                "lrfer_plugin_"
            ):  # the next test that loads the file registers it again
                del sys.modules[name]
