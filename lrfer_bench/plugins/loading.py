"""Plugin files: imported by path, from --plugin, plugins=[...] and the variable LRFER_PLUGINS."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Collection, Iterable
from contextlib import redirect_stdout
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType

from lrfer_bench.errors import MachineError, UserError, is_unicode
from lrfer_bench.files import SOURCE_BYTES, read_limited
from lrfer_bench.plugins.blame import own_place
from lrfer_bench.plugins.registry import (
    NOT_NOW,
    PLUGIN_ERRORS,
    RECALLED,
    REGISTRIES,
    NameTaken,
    importing,
)

PLUGINS_VARIABLE = "LRFER_PLUGINS"

_SOURCES: dict[Path, str] = {}
"""The source that each plugin file was last loaded as."""

_CONTENTS: dict[Path, bytes] = {}
"""What each held then."""


def load_plugins(files: Iterable[str | Path] = ()) -> None:
    """Import these plugin files and those of LRFER_PLUGINS.

    A file that fails is noted in PLUGIN_ERRORS. UserError if one of `files` does not exist.

    In a notebook, files of earlier calls stay loaded. But those that failed, or that disputed a
    name, count no more unless they are asked for again.
    """
    given = [Path(file).resolve() for file in files]
    asked = _asked_for(given)
    for name in PLUGIN_ERRORS.keys() - {str(file) for file in asked}:
        del PLUGIN_ERRORS[name]
        NOT_NOW.discard(name)
    for file in asked:
        _load_listed(file, file in given)
        RECALLED.discard(source_of(file))  # it is the user's own from now on
    for registry in REGISTRIES:
        registry.claims_of({source_of(file) for file in asked})


def recall_plugin(file: Path, content: bytes) -> None:
    """load_plugin() for a record that names it; the user's own things may take its names."""
    known = set(_SOURCES.values())
    load_plugin(file, content)
    RECALLED.update({source_of(file)} - known)


def source_of(file: Path) -> str:
    """The source that a plugin file was last loaded as, "" for one that was not loaded."""
    return _SOURCES.get(file.resolve(), "")


def files_in_use() -> dict[Path, str]:
    """Plugin file -> its source, of all that something in a registry comes from now.

    Of copies that lie in several places the one that was met last.
    """
    sources = {entry.source for registry in REGISTRIES for entry in registry}
    places = {source: file for file, source in _SOURCES.items() if source in sources}
    return {file: source for source, file in places.items()}


def files_to_name(sources: Collection[str], given: Iterable[Path]) -> list[Path]:
    """The files of these sources that a request has to name: those that none of its own is.

    Only files that hold what was loaded from them; workers get the content of others all the same.
    """
    known = {source_of(file) for file in given}
    return [
        file
        for file, source in files_in_use().items()
        if source in sources and source not in known
        if file.is_file() and _content(file) == _CONTENTS[file]
    ]


def loaded_contents(files: Iterable[str | Path] = ()) -> list[tuple[str, bytes]]:
    """(path, content) of these plugin files, those of LRFER_PLUGINS and all that are in use.

    As they were loaded here, also by an earlier call: it is what workers run, since keys name what
    a file held then, whatever has become of it. A file that was not loaded yet is loaded now.
    """
    given = [Path(file).resolve() for file in files]
    asked = _asked_for(given)
    for file in asked:
        if file not in _CONTENTS:
            _load_listed(file, file in given)
    wanted = {file: source_of(file) for file in asked}
    wanted |= {file: has for file, has in files_in_use().items() if has not in wanted.values()}
    # in the order in which they were loaded here: of two files that want a name the first has it
    return [(str(file), content) for file, content in _CONTENTS.items() if file in wanted]


def _load_listed(file: Path, given: bool) -> None:
    # The variable may be years old: a file that is gone must not stop every command.
    if given or file.is_file():
        load_plugin(file)
    else:
        PLUGIN_ERRORS[str(file)] = f"it does not exist: check {PLUGINS_VARIABLE}"


def _asked_for(given: Iterable[Path]) -> list[Path]:
    """The files of LRFER_PLUGINS, then those given, each once."""
    variable = os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep)
    return list(dict.fromkeys([*(Path(part).resolve() for part in variable if part), *given]))


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

    content: its bytes, where they were read before; the file may be another by now, or gone.
    A file that fails is noted in PLUGIN_ERRORS. UserError if the file does not exist.
    """
    if content is None and not file.is_file():
        raise UserError(
            f"the plugin file {file} does not exist: check --plugin and {PLUGINS_VARIABLE}"
        )
    if fault := _fault_of_name(file):
        PLUGIN_ERRORS[str(file)] = fault
        return
    if content is None:
        content = _content(file)
    module_name = plugin_module(file, content)
    source = f"{file.name} sha256:{_digest(content)[:12]}"
    # what was loaded before it was edited counts no more, also where the edit was taken back
    replaced = source in RECALLED and source not in files_in_use().values()
    if module_name in sys.modules and source in _SOURCES.values() and not replaced:
        _SOURCES[file.resolve()], _CONTENTS[file.resolve()] = source, content
        return
    loader = _Loader(module_name, file, content)
    spec = importlib.util.spec_from_file_location(module_name, file, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    before = source_of(file)
    if before:  # the file was edited since, in a notebook: it must not collide with itself
        _forget(before)
    PLUGIN_ERRORS.pop(str(file), None)
    _SOURCES[file.resolve()], _CONTENTS[file.resolve()] = source, content
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
        (NOT_NOW.add if isinstance(error, MachineError) else NOT_NOW.discard)(str(file))
        if isinstance(error, NameTaken):
            error.registry.claim(error.name, source, PLUGIN_ERRORS[str(file)])


def _fault_of_name(file: Path) -> str:
    """Why no file of this name can be a plugin, "" where it can."""
    if file.suffix != ".py":
        return "it is not a Python file"
    if not is_unicode(file.name):
        return "its name is not Unicode (UTF-8), so that no record could hold it: rename it"
    return ""


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
