"""A method that a request names: its class, its settings, and the stages that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfer_bench.contract.budget import AS_PRESET, SETTING, with_budget
from lrfer_bench.contract.labels import parse_label
from lrfer_bench.contract.method import Method, Need
from lrfer_bench.contract.preset import Preset
from lrfer_bench.planning.declared import asking, checked
from lrfer_bench.planning.plan import MethodRef
from lrfer_bench.planning.settings import complete_settings
from lrfer_bench.plugins.registry import METHODS


@dataclass(frozen=True)
class Chosen:
    """A method's class beside its reference, which is all that a plan keeps of it."""

    cls: type[Method]
    ref: MethodRef

    def needs(self, hr: bool) -> Mapping[str, Need]:
        """The stages under its settings, by name; hr: it is trained on HR images only."""
        with asking(self.ref.name, self.cls, "needs_for"):
            return self.cls.needs_for(self.ref.effective, hr=hr)

    @property
    def untouched_by_scale(self) -> bool:
        """Whether it trains nothing, on stages that are trained at HR or at scales of their own."""
        if self.cls.trains != "nothing":
            return False
        return all(need.at == "hr" or need.scales for need in self.needs(False).values())


def chosen_method(
    label: str,
    given: Mapping[str, Mapping[str, Any]],
    own: Mapping[str, Any],
    preset: Preset,
) -> Chosen:
    """The method of a label under its settings.

    given: method -> settings, wherever a method stands; those in the label's brackets win over
           them, and own over all.
    UserError for an unknown name, a class that breaks a rule, and settings that it does not take.
    """
    name, in_brackets = parse_label(label)
    entry = METHODS.entry(name)
    cls = checked(entry.name, entry.load())
    asked: dict[str, Any] = {}
    for called in entry.names:
        asked |= given.get(called, {})
    settings = complete_settings(entry.name, cls, {**asked, **in_brackets, **own})
    settings = with_budget(entry.name, settings, preset)
    plain = complete_settings(entry.name, cls, {})
    with asking(entry.name, cls, "canonical_settings"):
        canonical = dict(cls.canonical_settings(settings, preset))
        defaults = cls.canonical_settings(plain, preset)
    changed = {k: v for k, v in canonical.items() if v != defaults[k]}
    other = canonical if canonical != settings else None
    silent = tuple(setting for setting in cls.added if setting not in changed)
    if canonical.get(SETTING) == AS_PRESET:
        silent += (SETTING,)
    ref = MethodRef(
        entry.name, cls.version, entry.target, entry.source, entry.code, settings, changed, other,
        entry.names[0], silent,
    )  # fmt: skip
    return Chosen(cls, ref)
