"""From a request to a plan: names become methods, methods their stages, and each result gets its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lrfer_bench.contract.budget import AS_PRESET, SETTING, budgeted, with_budget
from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.labels import parse_label
from lrfer_bench.contract.method import Method, Need
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.contract.protocol import HR, check_scale
from lrfer_bench.errors import UserError
from lrfer_bench.keys import key_of
from lrfer_bench.planning.declared import asking, checked
from lrfer_bench.planning.plan import Cell, DataRef, MethodRef, Plan, Settings, Training
from lrfer_bench.planning.settings import complete_settings
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import METHODS, PROTOCOLS

if TYPE_CHECKING:
    from lrfer_bench.planning.request import Request


def build_plan(request: Request, data: DataRef) -> Plan:
    """Work out the trainings and cells of a request on prepared data.

    UserError for unknown names and impossible scales or settings, before anything runs.
    """
    _check(request, data)
    builder = _Builder(request, data)
    for seed in request.seeds:
        for label in request.methods:
            for protocol in request.protocols:
                builder.add(*parse_label(label), protocol, seed)
    _check_settings(request, builder.plan)
    return builder.plan


def _check(request: Request, data: DataRef) -> None:
    for scale in (*request.scales, *(request.test_scales or ())):
        check_scale(scale, data.size)
    methods = [METHODS.current_label(label) for label in request.methods]
    asked = {"method": methods, "scale": request.scales, "seed": request.seeds}
    for what, values in asked.items():
        if not values:
            raise UserError(f"no {what} was asked for: name at least one")
        if len(set(values)) != len(values):
            raise UserError(f"a {what} was asked for twice: {', '.join(map(str, values))}; name each once")
    for seed in request.seeds:
        if not 0 <= seed < 2**63:
            raise UserError(f"the seed {seed} is not possible: seeds are integers from 0 to 2**63 - 1")
    for name in (*(parse_label(label)[0] for label in request.methods), *request.settings):
        METHODS.entry(name)


def _check_settings(request: Request, plan: Plan) -> None:
    """A setting that reaches nothing of the plan is a slip: it would pass for one without effect."""
    reached = {training.method.name for training in plan.trainings.values()}
    reached |= {cell.method.name for cell in plan.cells.values()}
    for name in request.settings:
        if METHODS.current(name) not in reached:
            raise UserError(
                f'the setting {name}.{next(iter(request.settings[name]), "")} reaches nothing: '
                f'"{name}" is neither asked for nor a stage of what is; leave it out, or name the method'
            )


class _Builder:
    """Makes a plan node by node. A training or cell that is asked for twice is one node."""

    def __init__(self, request: Request, data: DataRef) -> None:
        self.request, self.data, self.preset = request, data, preset_of(request.preset)
        self.settings = {METHODS.current(n): given for n, given in request.settings.items()}
        self.plan = Plan()
        self._open: list[str] = []

    def add(self, name: str, own: Settings, protocol: str, seed: int) -> None:
        """All cells of one method under its own settings, protocol and seed."""
        cls = checked(name, METHODS.load(name))
        protocol_id = protocol_of(protocol).id
        test_protocols = [protocol_of(p).id for p in self.request.test_protocols or [protocol]]
        for scales in self._training_scales(name, cls, own):
            trained = Condition(protocol_id, scales)
            training = None
            if cls.trains != "nothing":
                training = self._training(name, trained, seed, own)
            ref = training.method if training else self._method(name, cls, own)
            for test_protocol in test_protocols:
                for scale in self._test_scales(cls, scales):
                    self._cell(ref, cls, trained, Condition(test_protocol, (scale,)), seed, training)

    def _training_scales(
        self, name: str, cls: type[Method], own: Settings
    ) -> list[tuple[int, ...]]:
        """The scales of each condition to train on.

        A method that trains nothing has those of its "lr" stages, or none where it has no such stage.
        """
        if cls.trains == "nothing":
            ref = self._method(name, cls, own)
            with asking(name, cls, "needs_for"):
                needs = cls.needs_for(ref.effective, hr=False)
            if all(need.at == "hr" or need.scales for need in needs.values()):
                return [()]
        if cls.trains == "all scales":
            return [tuple(sorted({*self.request.scales, *((1,) if cls.with_hr else ())}))]
        return [(scale,) for scale in self.request.scales]

    def _test_scales(self, cls: type[Method], trained: tuple[int, ...]) -> Sequence[int]:
        if cls.tests == "hr":
            return [1]
        if self.request.test_scales is not None:
            return self.request.test_scales
        one_scale = len(trained) == 1 and cls.trains != "all scales"
        return trained if one_scale else self.request.scales

    def _method(self, name: str, cls: type[Method], forced: Settings) -> MethodRef:
        entry = METHODS.entry(name)
        given = {**self.settings.get(entry.name, {}), **forced}
        settings = with_budget(name, complete_settings(name, cls, given), self.preset)
        with asking(name, cls, "canonical_settings"):
            canonical = dict(cls.canonical_settings(settings, self.preset))
            defaults = cls.canonical_settings(complete_settings(name, cls, {}), self.preset)
        changed = {k: v for k, v in canonical.items() if v != defaults[k]}
        other = canonical if canonical != settings else None
        silent = tuple(k for k in cls.added if k not in changed)
        if canonical.get(SETTING) == AS_PRESET:
            silent += (SETTING,)
        return MethodRef(
            entry.name, cls.version, entry.target, entry.source, entry.code, settings, changed, other,
            METHODS.first_name(entry.name), silent,
        )  # fmt: skip

    def _stages(
        self, cls: type[Method], ref: MethodRef, condition: Condition, seed: int
    ) -> dict[str, str]:
        """Stage name -> training key."""
        with asking(ref.name, cls, "needs_for"):
            needs: dict[str, Need] = cls.needs_for(ref.effective, hr=condition.is_hr)
        keys = {}
        for stage, need in needs.items():
            for scale in need.scales:
                check_scale(scale, self.data.size)
            at = Condition(condition.protocol, need.trained_at(condition.scales))
            keys[stage] = self._training(need.method, at, seed, need.settings).key
        return keys

    def _training(
        self, name: str, condition: Condition, seed: int, forced: Settings
    ) -> Training:
        # A teacher of its own kind (gmenet at HR) is no circle; the same method at the same condition is.
        opened = f"{name}@hr" if condition.is_hr else name
        if opened in self._open:
            circle = " needs ".join([*self._open, opened])
            raise UserError(f"stages go in a circle: {circle}; break it in needs_for()")
        cls = checked(name, METHODS.load(name))
        ref = self._method(name, cls, forced)
        self._open.append(opened)
        try:
            stages = self._stages(cls, ref, condition, seed)
        finally:
            self._open.pop()
        # HR images are the same under every protocol, so one HR model serves them all.
        condition = Condition(HR, (1,)) if condition.is_hr else condition
        preset = budgeted(self.preset, ref.settings)
        key = key_of({
            "kind": "training", "protocol": condition.protocol, "scales": condition.scales,
            **self._shared(ref, seed, preset, stages, condition),
        })  # fmt: skip
        if key not in self.plan.trainings:
            self.plan.trainings[key] = Training(
                key, ref, condition, self.data, seed, preset, stages
            )
        return self.plan.trainings[key]

    def _cell(
        self,
        ref: MethodRef,
        cls: type[Method],
        trained: Condition,
        tested: Condition,
        seed: int,
        training: Training | None,
    ) -> None:
        stages = dict(training.stages) if training else self._stages(cls, ref, trained, seed)
        key = key_of({
            "kind": "cell", "train": trained, "test": (tested.protocol, tested.scale),
            **self._shared(ref, seed, self.preset, stages, trained, tested),
        })  # fmt: skip
        self.plan.cells[key] = Cell(
            key, ref, "oracle" if cls.tests == "hr" else "lr", cls.test_time_augmentation,
            trained, tested, self.data, seed, self.preset, training.key if training else None, stages,
        )  # fmt: skip

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
    """The hashes of the plugin files that protocols came from: an edited one makes other pixels.

    Nothing for the built-in ones, whose version is their pixels.
    """
    names = {condition.protocol for condition in conditions} - {HR}
    codes = {name: PROTOCOLS.entry(name.partition("@")[0]).code for name in names}
    found = {name: code for name, code in codes.items() if code}
    return {"protocol_code": found} if found else {}
