"""Registries that forget what a test registered, and those of a process that loaded nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pytest import MonkeyPatch

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


@contextmanager
def pristine() -> Iterator[None]:
    """kept(), and inside all is as in a new process: no plugin file was loaded by another test."""
    with kept(), MonkeyPatch.context() as patch, ExitStack() as scopes:
        patch.setattr("lrfer_bench.plugins.loading._SOURCES", {})
        patch.setattr("lrfer_bench.plugins.loading._CONTENTS", {})
        for name in [name for name in sys.modules if name.startswith("lrfer_plugin_")]:
            patch.delitem(sys.modules, name)
        for registry in REGISTRIES:
            scopes.enter_context(registry.scope(out=lambda entry: " sha256:" in entry.source))
        yield
