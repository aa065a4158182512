"""A method that a request names: its class, its settings, and the stages that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfer_bench.contract.budget import AS_PRESET, SETTING, budgeted, with_budget
from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.contract.labels import parse_label
from lrfer_bench.contract.method import Method, Need
from lrfer_bench.contract.preset import Preset
from lrfer_bench.errors import UserError
from lrfer_bench.keys import same
from lrfer_bench.planning.declared import asking, checked
from lrfer_bench.planning.plan import MethodRef
from lrfer_bench.planning.settings import complete_settings, search_of
from lrfer_bench.planning.settings_file import SettingsFile
from lrfer_bench.plugins.registry import METHODS, Entry


@dataclass(frozen=True)
class Chosen:
    """A method's class beside its reference, which is all that a plan keeps of it.

    preset: what its own models are trained with: the run's, with the epochs of its settings
    """

    cls: type[Method]
    ref: MethodRef
    preset: Preset

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
    file: SettingsFile | None = None,
) -> Chosen:
    """The method of a label under its settings.

    given: method -> settings, wherever a method stands; they win over those of the settings file,
           those in the label's brackets win over both, and own over all.
    UserError for an unknown name, a class that breaks a rule, and settings that it does not take.
    """
    name, in_brackets = parse_label(label)
    entry = METHODS.entry(name)
    cls = checked(entry.name, entry.load())
    file = file or SettingsFile()
    from_file, asked = (_under_its_names(entry, found) for found in (file.settings, given))
    all_given = {**from_file, **asked, **in_brackets, **own}
    settings = with_budget(entry.name, complete_settings(entry.name, cls, all_given), preset)
    plain = with_budget(entry.name, complete_settings(entry.name, cls, {}), preset)
    with asking(entry.name, cls, "canonical_settings"):
        canonical = dict(cls.canonical_settings(settings, preset))
        defaults = cls.canonical_settings(plain, preset)
        changed = {k: v for k, v in canonical.items() if not same(v, defaults[k])}
        other = None if same(canonical, settings) else canonical
    counts = [file.trials[name] for name in entry.names if name in file.trials]
    # Where any other setting was changed, searched or not, this is not the network that was tuned.
    tuned = (
        bool(counts)
        and not other_code(entry, file)
        and not other_version(entry, cls.version, file)
        and same(canonical, _canonical(entry, cls, from_file, preset))
    )
    # by what would a method be tuned that trains nothing? `tune` says so, too
    untuned = None if search_of(cls) and cls.trains != "nothing" else 0
    silent = tuple(setting for setting in cls.added if setting not in changed)
    if canonical.get(SETTING) == AS_PRESET:
        silent += (SETTING,)
    ref = MethodRef(
        entry.name, cls.version, entry.target, entry.source, entry.code, settings, changed, other,
        entry.names[0], silent, (counts[-1] if tuned else 0) or untuned, _card(entry),
    )  # fmt: skip
    return Chosen(cls, ref, budgeted(preset, settings))


def other_code(entry: Entry, file: SettingsFile) -> bool:
    """Whether the settings of a plugin's method were chosen with another edit of its file."""
    return any(file.code.get(name, entry.code) != entry.code for name in entry.names)


def other_version(entry: Entry, version: str, file: SettingsFile) -> str:
    """The version of a method that its settings were chosen for, where that is another; or ""."""
    known = [file.versions[name] for name in entry.names if name in file.versions]
    return next((tuned for tuned in known if tuned != version), "")


def settings_beyond(found: Chosen, need: Need, preset: Preset) -> dict[str, Any]:
    """What the user changed of a stage, beside what the method that needs it asks for itself."""
    plain = chosen_method(need.method, {}, need.settings, preset).ref.effective
    return {k: v for k, v in found.ref.effective.items() if k not in plain or v != plain[k]}


def _card(entry: Entry) -> MethodCard | None:
    """What a method that is not built in says about itself; None where its card cannot be read."""
    if entry.built_in:
        return None
    try:
        return card_of(entry, MethodCard)
    except UserError:
        return None


def _under_its_names(entry: Entry, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is said of a method, under its name of today and former ones."""
    return {k: v for name in entry.names for k, v in settings.get(name, {}).items()}


def _canonical(
    entry: Entry, cls: type[Method], given: Mapping[str, Any], preset: Preset
) -> dict[str, Any] | None:
    """What these settings alone would give, as keys see it; None where they are refused."""
    try:
        settings = with_budget(entry.name, complete_settings(entry.name, cls, given), preset)
        with asking(entry.name, cls, "canonical_settings"):
            return dict(cls.canonical_settings(settings, preset))
    except UserError:
        return None
