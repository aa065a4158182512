"""One registry for methods, data sets, protocols and metrics: lazy targets, entry points, plugin files, no silent replacement."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from lrfer_bench.errors import UserError, did_you_mean

PLUGINS_VARIABLE = "LRFER_PLUGINS"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Entry:
    """One registered thing: a "module:attribute" target or an object already there, and who brought it."""

    kind: str
    name: str
    target: str
    source: str
    loaded: Any = None
    made_from: str = ""
    former: tuple[str, ...] = ()
    """For a class handed over from a script or a notebook: its target there, which may define it anew."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that it answers to; the first is the one that keys keep, so that a new name orphans no result."""
        return (*self.former, self.name)

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]

    @property
    def code(self) -> str:
        """The hash of the plugin file it came from, for keys; "" for what a distribution brings, whose version counts."""
        return self.source.partition("sha256:")[2]

    def load(self) -> Any:
        """Import and return the object; a plugin's failing import becomes a UserError with the place in its file."""
        if self.loaded is not None:
            return self.loaded
        module, _, attribute = self.target.partition(":")
        try:
            with redirect_stdout(sys.stderr):  # what a plugin prints must not end up in a CSV or JSON
                return getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as error:
            raise UserError(
                f'{self.kind} "{self.name}" from {self.source} cannot be imported: '
                f"{type(error).__name__}: {error} ({last_place(error)}); mend it or take it out"
            ) from error


class Registry:
    """The things of one kind ("method", "dataset", "protocol", "metric") by name.

    former_group: entry points of this group say which thing had another name once: `old = "new"`. It answers to both,
    and keys keep the name that its first results were made under.
    """

    def __init__(self, kind: str, group: str, former_group: str = "") -> None:
        self.kind = kind
        self.group = group
        self.former_group = former_group
        self._former: dict[str, str] = {}
        self._entries: dict[str, Entry] = {}
        self._scanned = False
        self.broken: dict[str, str] = {}

    def add(self, name: str, target: str | Any, source: str) -> None:
        """Register name; a name that is taken by somebody else is a UserError that names both."""
        self._scan()
        self._add(name, target, source)

    def _add(self, name: str, target: str | Any, source: str) -> None:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise UserError(
                f"{name!r} of {source} is no name for a {self.kind}: use letters, digits, points, hyphens and underscores, and "
                "begin with a letter or digit"
            )
        lazy = isinstance(target, str)
        former = tuple(old for old, new in self._former.items() if new == name)
        entry = Entry(
            self.kind, name, target if lazy else target_of(target), source, None if lazy else target, former=former
        )
        taken = self._entries.get(name)
        if (
            taken is not None
            and entry.target != taken.made_from
            and ((taken.source, taken.target) != (entry.source, entry.target))
        ):
            raise UserError(
                f'the {self.kind} name "{name}" of {source} is taken by {taken.source}: give yours another name'
            )
        self._entries[name] = entry

    def drop(self, name: str) -> None:
        """Take one name out."""
        self._entries.pop(name, None)

    def restore(self, entry: Entry) -> None:
        """Put back what a script registered; where its plugin file did so in the meantime, remember what that was made from."""
        now = self._entries.get(entry.name)
        if now is None:
            self._entries[entry.name] = entry
        elif now is not entry:
            self._entries[entry.name] = replace(now, made_from=entry.made_from or entry.target)

    def forget(self, source: str) -> None:
        """Take out everything that one source brought."""
        self._entries = {name: entry for name, entry in self._entries.items() if entry.source != source}

    def _scan(self) -> None:
        """Read the installed entry points once; built-in things come in by the same door, before third parties."""
        if self._scanned:
            return
        self._scanned = True
        if self.former_group:
            former = metadata.entry_points(group=self.former_group)
            self._former = {point.name: point.value for point in former}
        points = sorted(metadata.entry_points(group=self.group), key=lambda p: (_owner(p) != "lrfer-bench", p.name))
        for point in points:
            try:
                self._add(point.name, point.value, _distribution(point))
            except UserError as error:
                self.broken[f"{point.name} ({_distribution(point)})"] = str(error)

    def __iter__(self) -> Iterator[Entry]:
        self._scan()
        return iter([self._entries[name] for name in sorted(self._entries)])

    def names(self) -> list[str]:
        return [entry.name for entry in self]

    def entry(self, name: str) -> Entry:
        """The entry of a name; UserError with the nearest name, and with the plugins that failed to load."""
        name = self.current(name)
        if name not in self._entries:
            broken = "".join(f"; plugin {who} failed: {why}" for who, why in PLUGIN_ERRORS.items())
            raise UserError(f'there is no {self.kind} "{name}": {did_you_mean(name, self._entries)}{broken}')
        return self._entries[name]

    def load(self, name: str) -> Any:
        return self.entry(name).load()

    def current(self, name: str) -> str:
        """What a thing is called today; a name that is not a former one stays as it is.

        >>> METHODS.current("bicubic"), METHODS.current("direct")
        ('enlarge', 'direct')
        """
        self._scan()
        return name if name in self._entries else self._former.get(name, name)

    def current_label(self, label: str) -> str:
        """A label under the name of today.

        >>> METHODS.current_label("bicubic[input_size=48]")
        'enlarge[input_size=48]'
        """
        name, bracket, settings = label.partition("[")
        return f"{self.current(name)}{bracket}{settings}"


METHODS = Registry("method", "lrfer_bench.methods", "lrfer_bench.former_names")
DATASETS = Registry("dataset", "lrfer_bench.datasets")
PROTOCOLS = Registry("protocol", "lrfer_bench.protocols")
METRICS = Registry("metric", "lrfer_bench.metrics")
REGISTRIES = (METHODS, DATASETS, PROTOCOLS, METRICS)

PLUGIN_ERRORS: dict[str, str] = {}
"""Plugin files that could not be imported, and why; they are listed, the others work."""

_SOURCES: dict[Path, str] = {}
"""What each plugin file was last loaded as."""

_current_source: list[str] = []


def register(registry: Registry, name: str, thing: Any) -> None:
    """What the @register_... decorators call: enters a thing under the file or distribution being imported.

    A class that is also reachable by an entry point is already known by that door and is left as it is.
    """
    known = registry._entries.get(name)
    if known is not None and known.target == target_of(thing):
        return
    if _current_source:
        registry.add(name, thing, _current_source[-1])
        return
    registry._scan()
    known = registry._entries.get(name)
    if known is None or known.target != target_of(thing):
        registry.add(name, thing, f"module {thing.__module__}")


def load_plugins(files: Iterable[str | Path] = ()) -> None:
    """Import plugin files given by hand and by LRFER_PLUGINS; a broken one is noted in PLUGIN_ERRORS."""
    given = [Path(file).resolve() for file in files]
    listed = [Path(part).resolve() for part in os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep) if part]
    for file in dict.fromkeys([*listed, *given]):
        if file not in given and not file.is_file():  # the variable may be years old: it must not stop every command
            PLUGIN_ERRORS[str(file)] = f"it does not exist: check {PLUGINS_VARIABLE}"
            continue
        load_plugin(file)


def load_plugin(file: Path) -> None:
    """Import one file as a module named by its content, so that workers can import the very same."""
    if not file.is_file():
        raise UserError(f"the plugin file {file} does not exist: check --plugin and {PLUGINS_VARIABLE}")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    module_name = plugin_module(file)
    if module_name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        PLUGIN_ERRORS[str(file)] = "it is no Python file"
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    source = f"{file.name} sha256:{digest[:12]}"
    before = _SOURCES.get(file.resolve())
    if before:  # edited since, in a notebook: the file is no rival of its own
        for registry in REGISTRIES:
            registry.forget(before)
    PLUGIN_ERRORS.pop(str(file), None)
    _SOURCES[file.resolve()] = source
    _current_source.append(source)
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(module_name, None)
        for registry in REGISTRIES:  # half a plugin is none: what it entered before it broke would not work in workers
            registry.forget(source)
        PLUGIN_ERRORS[str(file)] = f"{type(error).__name__}: {error} ({own_place(error) or file})"
    finally:
        _current_source.pop()


def plugin_module(file: Path) -> str:
    """The module name that a plugin file is imported under; other content, other name."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f"lrfer_plugin_{re.sub(r'[^0-9a-zA-Z]', '_', file.stem)}_{digest[:8]}"


def left_out() -> dict[str, str]:
    """Every plugin file and entry point that could not be used so far, and why."""
    found = dict(PLUGIN_ERRORS)
    for registry in REGISTRIES:
        registry._scan()
        found |= registry.broken
    return found


def last_place(error: BaseException) -> str:
    """file:line of an exception, for one-sentence messages: the innermost frame in a plugin's own code, else in any.

    A mistake in a plugin often ends deep in torch; its author wants the line that led there.
    """
    frames = traceback.extract_tb(error.__traceback__)
    return own_place(error) or (f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no place known")


def own_place(error: BaseException) -> str:
    """file:line of the innermost frame that is neither a library's nor the harness'; "" where there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if not _foreign(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def place_now() -> str:
    """file:line of the innermost frame now running that is neither a library's nor the harness'; "" where there is none."""
    own = [frame for frame in traceback.extract_stack() if not _foreign(frame.filename)]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def _foreign(file: str) -> bool:
    """True for the standard library, the libraries we rest on and the harness; built-in methods are nobody's harness."""
    path = file.replace(os.sep, "/")
    if file.startswith("<") or any(f"/{name}/" in path for name in _LIBRARIES):
        return True
    if path.startswith(os.path.dirname(os.__file__).replace(os.sep, "/")) and "/site-packages/" not in path:
        return True
    harness = str(Path(__file__).parents[1])
    rooms = tuple(os.path.join(harness, room, "") for room in ("methods", "datasets"))
    return file.startswith(harness) and not file.startswith(rooms)


_LIBRARIES = tuple(f"site-packages/{name}" for name in ("torch", "timm", "numpy", "scipy", "sklearn", "PIL", "pandas"))


def target_of(thing: Any) -> str:
    """ "module:Class" of a class or an instance, as entry points write it."""
    return f"{thing.__module__}:{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def _owner(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _distribution(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
