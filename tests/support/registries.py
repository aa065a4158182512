"""Registries that forget what a test registered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lrfer_bench.plugins.registry import PLUGIN_ERRORS, REGISTRIES


@contextmanager
def kept() -> Iterator[None]:
    """Afterwards names, plugin errors and plugin modules are those of before.

    Inside, no plugin is broken.
    """
    errors, modules = dict(PLUGIN_ERRORS), set(sys.modules)
    PLUGIN_ERRORS.clear()
    try:
        with ExitStack() as scopes:
            for registry in REGISTRIES:
                scopes.enter_context(registry.scope())
            yield
    finally:
        PLUGIN_ERRORS.clear()
        PLUGIN_ERRORS.update(errors)
        for name in set(sys.modules) - modules:
            if name.startswith("lrfer_plugin_"):  # the next test that loads it registers it again
                del sys.modules[name]
