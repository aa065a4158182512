"""Plugin files: imported by path, from --plugin, plugins=[...] and the variable LRFER_PLUGINS."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from lrfer_bench.errors import UserError
from lrfer_bench.files import SOURCE_BYTES, read_limited
from lrfer_bench.plugins.blame import own_place
from lrfer_bench.plugins.registry import PLUGIN_ERRORS, REGISTRIES, NameTaken, importing

PLUGINS_VARIABLE = "LRFER_PLUGINS"

_SOURCES: dict[Path, str] = {}
"""The source that each plugin file was last loaded as."""


def load_plugins(files: Iterable[str | Path] = ()) -> None:
    """Import these plugin files and those of LRFER_PLUGINS.

    A file that fails is noted in PLUGIN_ERRORS. UserError if one of `files` does not exist.
    """
    given = [Path(file).resolve() for file in files]
    variable = os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep)
    listed = [Path(part).resolve() for part in variable if part]
    for file in dict.fromkeys([*listed, *given]):
        # The variable may be years old: a file that is gone must not stop every command.
        if file not in given and not file.is_file():
            PLUGIN_ERRORS[str(file)] = f"it does not exist: check {PLUGINS_VARIABLE}"
            continue
        load_plugin(file)


class _Loader(SourceFileLoader):
    """Runs the bytes that were read and hashed.

    Python itself would rather run a compiled file in __pycache__, whose content nobody has seen.
    """

    def __init__(self, name: str, file: Path, content: bytes) -> None:
        super().__init__(name, str(file))
        self._content = content

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._content, self.path)


def load_plugin(file: Path, content: bytes | None = None) -> None:
    """Import one file as a module named by its content, so that workers import the very same.

    content: its bytes, where they were read and checked before. A file that fails is noted in
    PLUGIN_ERRORS. UserError if the file does not exist.
    """
    if not file.is_file():
        raise UserError(
            f"the plugin file {file} does not exist: check --plugin and {PLUGINS_VARIABLE}"
        )
    if file.suffix != ".py":
        PLUGIN_ERRORS[str(file)] = "it is not a Python file"
        return
    if content is None:
        content = _content(file)
    module_name = plugin_module(file, content)
    if module_name in sys.modules:
        return
    loader = _Loader(module_name, file, content)
    spec = importlib.util.spec_from_file_location(module_name, file, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    source = f"{file.name} sha256:{_digest(content)[:12]}"
    before = _SOURCES.get(file.resolve())
    if before:  # the file was edited since, in a notebook: it must not collide with itself
        _forget(before)
    PLUGIN_ERRORS.pop(str(file), None)
    _SOURCES[file.resolve()] = source
    try:
        with importing(source), redirect_stdout(sys.stderr):
            loader.exec_module(module)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):  # Ctrl-C, as far as anybody can tell
            raise
        sys.modules.pop(module_name, None)
        _forget(source)  # what it registered before it failed would not work in workers
        said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        PLUGIN_ERRORS[str(file)] = f"{said} ({own_place(error) or file})"
        if isinstance(error, NameTaken):
            error.registry.claim(error.name, source, PLUGIN_ERRORS[str(file)])


def loaded_files() -> dict[Path, str]:
    """Plugin file -> the source that it was loaded as: "mine.py sha256:0a1b2c3d4e5f"."""
    return dict(_SOURCES)


def _content(file: Path) -> bytes:
    try:
        return read_limited(file, SOURCE_BYTES)
    except (OSError, ValueError) as error:
        raise UserError(
            f"the plugin file {file} cannot be read ({getattr(error, 'strerror', None) or error}): "
            "check its name and its permissions, and try again"
        ) from error


def plugin_module(file: Path, content: bytes | None = None) -> str:
    """The module name that a plugin file is imported under; it changes with the content."""
    digest = _digest(_content(file) if content is None else content)
    return f"lrfer_plugin_{re.sub(r'[^0-9a-zA-Z]', '_', file.stem)}_{digest[:8]}"


def left_out() -> dict[str, str]:
    """Every plugin file and entry point that could not be used so far, and why."""
    found = dict(PLUGIN_ERRORS)
    for registry in REGISTRIES:
        found |= registry.broken
    return found


def _forget(source: str) -> None:
    for registry in REGISTRIES:
        registry.forget(source)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
