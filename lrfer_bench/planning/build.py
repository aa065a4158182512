"""From a request to a plan: names become methods and their stages, and each result a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.labels import label_of
from lrfer_bench.contract.method import Method
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import HR, check_scale
from lrfer_bench.errors import UserError
from lrfer_bench.keys import key_of
from lrfer_bench.planning.chosen import (
    Chosen,
    chosen_method,
    other_code,
    other_version,
    settings_beyond,
)
from lrfer_bench.planning.plan import Cell, DataRef, MethodRef, Plan, Settings, Training
from lrfer_bench.planning.settings_file import SettingsFile
from lrfer_bench.plugins.contents import name_of
from lrfer_bench.plugins.degradation import code_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.protocols.golden import opened

if TYPE_CHECKING:
    from lrfer_bench.planning.request import Request


def build_plan(request: Request, data: DataRef, stray: bool = False) -> Plan:
    """Work out the trainings and cells of a request on prepared data.

    stray: let settings pass that reach nothing, where they are known to be meant for another plan.
    UserError for unknown names and impossible scales or settings, before anything runs.
    """
    notes = _check_file(request.file)
    builder = _Builder(request, data)
    builder.plan.notes = notes
    for seed in request.seeds:
        for method in builder.rows:
            for protocol in builder.protocols:
                builder.add(method, protocol, seed)
    if not stray:
        _check_settings(request, builder.plan)
    builder.plan.notes += _of_other_versions(request.file, builder.plan)
    return builder.plan


def _check(request: Request, data: DataRef) -> None:
    for scale in (*request.scales, *(request.test_scales or ())):
        check_scale(scale, data.size)
    asked = {"method": request.methods, "scale": request.scales, "seed": request.seeds}
    for what, values in asked.items():
        if not values:
            raise UserError(f"no {what} was asked for: name at least one")
        if len(set(values)) != len(values):
            raise UserError(
                f"a {what} was asked for twice: {', '.join(map(str, values))}; name each once"
            )
    for seed in request.seeds:
        if not 0 <= seed < 2**63:
            raise UserError(
                f"the seed {seed} is not possible: seeds are integers from 0 to 2**63 - 1"
            )


def _check_file(file: SettingsFile) -> tuple[str, ...]:
    """A line for each method that the file passes on from a tuning, and that is not there.

    A file may say more than this plan needs: a name under its trials was written by `tune`, perhaps
    with a plugin that this run does without. UserError for any other name that is not there.
    """
    notes = []
    for name in dict.fromkeys((*file.settings, *file.trials)):
        try:
            entry = METHODS.entry(name)
        except UserError as error:
            if name not in file.trials:
                raise UserError(f"the settings file {file.name}: {error}") from error
            notes.append(
                f'the settings file {file.name} has a choice for "{name}", and there is no such '
                "method here: it is passed over"
            )
            continue
        if other_code(entry, file):
            notes.append(
                f"the settings file {file.name} was chosen for another edit of {entry.source}: "
                f"{name} counts as not tuned; tune it again, into another --results"
            )
    return tuple(notes)


def _of_other_versions(file: SettingsFile, plan: Plan) -> tuple[str, ...]:
    """A line for each method of the plan that the file was chosen for in another version."""
    nodes: list[Training | Cell] = [*plan.trainings.values(), *plan.cells.values()]
    versions = {node.method.name: node.method.version for node in nodes}
    notes = []
    for name, version in versions.items():
        entry = METHODS.entry(name)
        tuned = other_version(entry, version, file)
        if tuned and not other_code(entry, file):  # a note has said that already
            notes.append(
                f"the settings file {file.name} was chosen for version {tuned} of {name}, and here "
                f"is version {version}: {name} counts as not tuned; tune it again, into another "
                "--results"
            )
    return tuple(notes)


def _check_settings(request: Request, plan: Plan) -> None:
    """UserError for a setting that reaches nothing of the plan: it would seem to have no effect."""
    reached = {training.method.name for training in plan.trainings.values()}
    reached |= {cell.method.name for cell in plan.cells.values()}
    for name in request.settings:
        if METHODS.entry(name).name not in reached:
            raise UserError(
                f"the setting {name}.{next(iter(request.settings[name]), '')} reaches nothing: "
                f'"{name}" is neither asked for nor a stage of what is; leave it out, or name the '
                "method"
            )


class _Builder:
    """Makes a plan node by node. A training or cell that is asked for twice is one node."""

    def __init__(self, request: Request, data: DataRef) -> None:
        self.request, self.data, self.preset = request, data, request.preset
        self.plan = Plan()
        self._open: list[str] = []
        self._changed: dict[str, set[str]] = {}  # training -> labels of changed stages below it
        _check(request, data)
        self.protocols = self._protocols(request.protocols)
        tested = request.test_protocols
        self.test_protocols = None if tested is None else self._protocols(tested)
        self.rows = [self._chosen(label) for label in request.methods]
        names = [method.ref.label for method in self.rows]
        if len(set(names)) != len(names):
            twice = f"a method was asked for twice: {', '.join(names)}; name each once"
            raise UserError(twice + self._why(names))

    def _why(self, labels: Sequence[str]) -> str:
        """Which of the labels that were typed are one by the settings file, if any."""
        typed = [label for label, one in zip(self.request.methods, labels, strict=True)
                 if labels.count(one) > 1]  # fmt: skip
        if len(set(typed)) < 2 or not self.request.file.settings:
            return ""
        return f" (with the settings file {self.request.file.name} {', '.join(typed)} are the same)"

    def _protocols(self, names: Sequence[str]) -> list[str]:
        """Their ids; UserError for one that is not here or not the same each time."""
        scales = (*self.request.scales, *(self.request.test_scales or ()))
        return [opened(name, scales).id for name in names]

    def _chosen(self, label: str, own: Settings | None = None) -> Chosen:
        request = self.request
        return chosen_method(label, request.settings, own or {}, self.preset, request.file)

    def add(self, method: Chosen, protocol: str, seed: int) -> None:
        """All cells of one row of the request, under one protocol and seed."""
        for scales in self._training_scales(method):
            trained = Condition(protocol, scales)
            training = None
            if method.cls.trains != "nothing":
                training = self._training(method, trained, seed)
            for test_protocol in self.test_protocols or [protocol]:
                for scale in self._test_scales(method.cls, scales):
                    tested = Condition(test_protocol, (scale,))
                    self._cell(method, trained, tested, seed, training)

    def _training_scales(self, method: Chosen) -> list[tuple[int, ...]]:
        """The scales of each condition to train on; none where no scale matters."""
        if method.untouched_by_scale:
            return [()]
        if method.cls.trains == "all scales":
            with_hr = (1,) if method.cls.with_hr else ()
            return [tuple(sorted({*self.request.scales, *with_hr}))]
        return [(scale,) for scale in self.request.scales]

    def _test_scales(self, cls: type[Method], trained: tuple[int, ...]) -> Sequence[int]:
        if cls.tests == "hr":
            return [1]
        if self.request.test_scales is not None:
            return self.request.test_scales
        one_scale = len(trained) == 1 and cls.trains != "all scales"
        return trained if one_scale else self.request.scales

    def _stages(
        self, method: Chosen, condition: Condition, seed: int
    ) -> tuple[dict[str, str], set[str]]:
        """Stage name -> training key; and labels of those, of any depth, that the user changed."""
        keys, changed = {}, set[str]()
        for stage, need in method.needs(condition.is_hr).items():
            for scale in need.scales:
                check_scale(scale, self.data.size)
            at = Condition(condition.protocol, need.trained_at(condition.scales))
            chosen = self._chosen(need.method, need.settings)
            keys[stage] = self._training(chosen, at, seed).key
            if beyond := settings_beyond(chosen, need, self.preset):
                changed.add(label_of(chosen.ref.name, beyond))
            changed |= self._changed[keys[stage]]
        return keys, changed

    def _training(self, method: Chosen, condition: Condition, seed: int) -> Training:
        # A teacher of its own kind (gmenet at HR) is not a circle; the same method at the same
        # condition is.
        name = method.ref.name
        opened = f"{name}@hr" if condition.is_hr else name
        if opened in self._open:
            circle = " needs ".join([*self._open, opened])
            raise UserError(f"stages go in a circle: {circle}; break it in needs_for()")
        self._open.append(opened)
        try:
            stages, changed = self._stages(method, condition, seed)
        finally:
            self._open.pop()
        # HR images are the same under every protocol, so one HR model serves them all.
        condition = Condition(HR, (1,)) if condition.is_hr else condition
        key = key_of({
            "kind": "training", "protocol": condition.protocol, "scales": condition.scales,
            **self._shared(method.ref, seed, method.preset, stages, condition),
        })  # fmt: skip
        if key not in self.plan.trainings:
            self.plan.trainings[key] = Training(
                key, method.ref, condition, self.data, seed, method.preset, stages
            )
            self._changed[key] = changed
        return self.plan.trainings[key]

    def _cell(
        self,
        method: Chosen,
        trained: Condition,
        tested: Condition,
        seed: int,
        training: Training | None,
    ) -> None:
        if training:
            stages, changed = dict(training.stages), self._changed[training.key]
        else:
            stages, changed = self._stages(method, trained, seed)
        key = key_of({
            "kind": "cell", "train": trained, "test": (tested.protocol, tested.scale),
            **self._shared(method.ref, seed, self.preset, stages, trained, tested),
        })  # fmt: skip
        cls = method.cls
        self.plan.cells[key] = Cell(
            key,
            method.ref,
            "oracle" if cls.tests == "hr" else "lr",
            cls.test_time_augmentation,
            trained,
            tested,
            self.data,
            seed,
            self.preset,
            training.key if training else None,
            stages,
            self._weights(method.ref, stages),
            training is None and not stages,
            tuple(sorted(changed)),
        )

    def _weights(self, ref: MethodRef, stages: dict[str, str]) -> tuple[str, ...]:
        """What a cell's networks start from, by the names of the files."""
        below = [self.plan.trainings[key].method for key in self.plan.below(stages.values())]
        contents = {content for each in (ref, *below) for content in each.contents.values()}
        return tuple(sorted(f"{name_of(content)} {content[:19]}" for content in contents))

    def _shared(
        self,
        ref: MethodRef,
        seed: int,
        preset: Preset,
        stages: dict[str, str],
        *conditions: Condition,
    ) -> dict[str, object]:
        """What the keys of trainings and cells have in common."""
        return {
            "method": ref.identity(), "seed": seed, "data": self.data.fingerprint,
            "preset": preset.content(), "stages": stages, **_codes(*conditions),
        }  # fmt: skip


def _codes(*conditions: Condition) -> dict[str, dict[str, str]]:
    """What code_of() says of the protocols that come from plugin files."""
    names = {condition.protocol for condition in conditions}
    found = {name: code for name in names if (code := code_of(name))}
    return {"protocol_code": found} if found else {}
