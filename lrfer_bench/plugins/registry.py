"""Registries of methods, data sets and protocols: names that point to objects, imported on demand.

Names come from entry points of installed packages, from plugin files (`loading.py`) and from the
@register_... decorators. A name that is taken is never replaced silently.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from lrfer_bench.contract.labels import label_of
from lrfer_bench.errors import MachineError, UserError, did_you_mean
from lrfer_bench.plugins.blame import last_place, note_author
from lrfer_bench.plugins.former import names_of_today
from lrfer_bench.plugins.targets import imported_as, target_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

RECALLED: set[str] = set()
"""Sources that a record alone brought, to use its model: others may take their names."""

PLUGIN_ERRORS: dict[str, str] = {}
"""Plugin files that could not be imported, and why. loading.py fills it; the other plugins work."""

OURS = "lrfer-bench"
"""The distribution of the built-in things."""

NOT_NOW: set[str] = set()
"""Those of PLUGIN_ERRORS that are the machine's: no method fails by them, the run stops."""

_importing: list[str] = []
"""The sources of the plugin files that are being imported now, the innermost last."""


@dataclass(frozen=True)
class Entry:
    """One registered thing: its name, where it is ("module:attribute"), and who brought it."""

    kind: str
    name: str
    target: str
    source: str
    loaded: Any = None
    made_from: str = ""
    """For a class handed over from a script or a notebook: its target there.

    The script may define and register the class again.
    """
    former: tuple[str, ...] = ()
    """Names that it had before, the oldest first."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that it answers to.

        The first is the one that keys keep, so that a new name orphans no result.
        """
        return (*self.former, self.name)

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]

    @property
    def home(self) -> str:
        """The module that it was written in."""
        return (self.made_from or self.target).partition(":")[0]

    @property
    def code(self) -> str:
        """The hash of its plugin file, for keys; "" for an installed thing: its version counts."""
        return self.source.partition("sha256:")[2]

    @property
    def built_in(self) -> bool:
        """Whether it is part of lrfer-bench itself."""
        return self.source.partition(" ")[0] == OURS

    def load(self) -> Any:
        """Import and return the object. UserError with file and line if the import fails."""
        if self.loaded is not None:
            return self.loaded
        module, _, attribute = self.target.partition(":")
        try:
            with redirect_stdout(sys.stderr):  # a plugin's prints must not end up in a CSV or JSON
                return getattr(importlib.import_module(module), attribute)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise UserError(
                f'{self.kind} "{self.name}" from {self.source} cannot be imported: '
                f"{type(error).__name__}: {error} ({last_place(error)}); fix it or remove it"
            ) from error


class NameTaken(UserError):
    """Two things want one name."""

    def __init__(self, registry: Registry, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.registry = registry
        self.name = name


class Registry:
    """The things of one kind ("method", "dataset", "protocol", "metric") by name.

    former_group: entry points of this group say which thing had another name once: `old = "new"`.
    It answers to both, and keys keep the name that its first results were made under.
    """

    def __init__(self, kind: str, group: str, former_group: str = "") -> None:
        self.kind = kind
        self.group = group
        self.former_group = former_group
        self._former: dict[str, str] = {}
        self._entries: dict[str, Entry] = {}
        self._scanned = False
        self._broken: dict[str, str] = {}
        self._claims: dict[str, tuple[str, str]] = {}

    def add(self, name: str, target: str | Any, source: str) -> None:
        """Register a name. UserError with both owners if the name is taken by another thing."""
        self._scan()
        self._add(name, target, source)

    def _add(self, name: str, target: str | Any, source: str) -> None:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise UserError(
                f"{name!r} of {source} is not a name for a {self.kind}: use letters, digits, "
                "points, hyphens and underscores, and begin with a letter or digit"
            )
        former = tuple(old for old, new in self._former.items() if new == name)
        if isinstance(target, str):
            entry = Entry(self.kind, name, target, source, former=former)
        else:
            entry = Entry(self.kind, name, target_of(target), source, target, former=former)
        if name in self._former:
            raise NameTaken(
                self,
                name,
                f'the {self.kind} name "{name}" of {source} is the former name of '
                f'"{self._former[name]}": give yours another name',
            )
        taken = self._entries.get(name)
        same = taken is not None and (
            entry.target == taken.made_from
            or (taken.source, taken.target) == (entry.source, entry.target)
        )
        if taken is not None and not same and taken.source in RECALLED:
            for registry in REGISTRIES:  # all of its file: in workers it would not load
                registry.forget(taken.source)
        elif taken is not None and not same:
            raise NameTaken(
                self,
                name,
                f'the {self.kind} name "{name}" of {source} is taken by {taken.source}: '
                "give yours another name",
            )
        self._entries[name] = entry
        note_author(entry.module)

    def forget(self, source: str) -> None:
        """Remove everything that one source brought or claims."""
        self._entries = {n: entry for n, entry in self._entries.items() if entry.source != source}
        self._claims = {n: claim for n, claim in self._claims.items() if claim[0] != source}

    def claim(self, name: str, source: str, sentence: str) -> None:
        """Note that a source that is left out wants a name: entry() answers with the sentence."""
        self._claims[name] = (source, sentence)

    def claims_of(self, sources: Collection[str]) -> None:
        """Let the claims of these sources alone stand: others are of no file that is asked for."""
        self._claims = {n: claim for n, claim in self._claims.items() if claim[0] in sources}

    def remember(self, name: str, target: str) -> None:
        """Note that the thing under a name was made from a script's class, which may replace it."""
        self._entries[name] = replace(self._entries[name], made_from=target)

    @contextmanager
    def scope(
        self,
        put: Iterable[Entry] = (),
        out: Callable[[Entry], bool] = lambda entry: False,
        keep_new: bool = False,
    ) -> Iterator[None]:
        """Change the registry for the length of a block; it is put back even if the block fails.

        Inside, entries for which `out` is true are missing, and the entries `put` are there (they
        replace what has their name). Afterwards all entries are those of before. With `keep_new`,
        only what was taken out or replaced is put back: things registered inside stay, and one
        under the name of an old entry is noted as made from it (`Entry.made_from`).
        """
        self._scan()
        before, claims = dict(self._entries), self._claims
        self._entries = {n: entry for n, entry in before.items() if not out(entry)}
        self._entries |= {entry.name: entry for entry in put}
        inside = dict(self._entries)
        try:
            yield
        finally:
            self._claims = claims
            if keep_new:
                self._put_back(before, inside)
            else:
                self._entries = before

    def _put_back(self, before: dict[str, Entry], inside: dict[str, Entry]) -> None:
        for name in before.keys() | inside.keys():
            old, temporary, now = before.get(name), inside.get(name), self._entries.get(name)
            if old is temporary:  # not changed for the block, so what the block did to it stays
                continue
            if now is not temporary and now is not None:
                if old is not None and now is not old:
                    self.remember(name, old.made_from or old.target)
            elif old is not None:
                self._entries[name] = old
            else:
                self._entries.pop(name, None)

    def _scan(self) -> None:
        """Read the installed entry points once, the built-in things before those of others."""
        if self._scanned:
            return
        self._scanned = True
        if self.former_group:
            former = metadata.entry_points(group=self.former_group)
            self._former, wrong = names_of_today({point.name: point.value for point in former})
            self._broken |= {f"{self.former_group} {name}": why for name, why in wrong.items()}
        points = metadata.entry_points(group=self.group)
        for point in sorted(points, key=lambda p: (_owner(p) != OURS, p.name)):
            try:
                self._add(point.name, point.value, _distribution(point))
            except UserError as error:
                self._broken[f"{point.name} ({_distribution(point)})"] = str(error)

    @property
    def broken(self) -> dict[str, str]:
        """Entry points that could not be registered, and why."""
        self._scan()
        return dict(self._broken)

    def __iter__(self) -> Iterator[Entry]:
        self._scan()
        return iter([self._entries[name] for name in sorted(self._entries)])

    def names(self) -> list[str]:
        return [entry.name for entry in self]

    def entry(self, name: str) -> Entry:
        """The entry of a name.

        UserError for an unknown name, with the nearest one and the plugins that failed, and for a
        name that a plugin file wants as well.
        """
        for each in (name, self.current(name)):
            if each in self._claims:
                raise UserError(self._claims[each][1])
        name = self.current(name)
        if name not in self._entries:
            near = did_you_mean(name, self._entries)
            broken = "".join(f"; plugin {who} failed: {why}" for who, why in PLUGIN_ERRORS.items())
            kind = MachineError if NOT_NOW & PLUGIN_ERRORS.keys() else UserError
            raise kind(f'there is no {self.kind} "{name}": {near}{broken}')
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

    def label(self, name: str, settings: Mapping[str, Any]) -> str:
        """What tables call a name of a record with its settings.

        >>> METHODS.label("bicubic", {"input_size": 48})
        'enlarge[input_size=48]'
        """
        return label_of(self.current(name), settings)

    def _knows(self, name: str, thing: Any) -> bool:
        known = self._entries.get(name)
        return known is not None and known.target in (target_of(thing), imported_as(thing))


METHODS = Registry("method", "lrfer_bench.methods", "lrfer_bench.former_names")
DATASETS = Registry("dataset", "lrfer_bench.datasets")
PROTOCOLS = Registry("protocol", "lrfer_bench.protocols")
METRICS = Registry("metric", "lrfer_bench.metrics")
REGISTRIES = (METHODS, DATASETS, PROTOCOLS, METRICS)


def register(registry: Registry, name: str, thing: Any) -> None:
    """Enter a thing under the plugin file that is being imported, else under its own module.

    The @register_... decorators call it. A class that has this name already, by an entry point or
    otherwise, is left as it is.
    """
    registry._scan()  # a plugin file may import a built-in sibling before anybody has listed them
    if registry._knows(name, thing):
        return
    if _importing:
        registry.add(name, thing, _importing[-1])
        return
    registry.add(name, thing, f"module {thing.__module__}")


@contextmanager
def importing(source: str) -> Iterator[None]:
    """Around the import of a plugin file: what registers itself inside belongs to this source."""
    _importing.append(source)
    try:
        yield
    finally:
        _importing.pop()


def _owner(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else ""


def _distribution(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
