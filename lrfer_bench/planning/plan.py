"""From a request to a plan: the trainings and cells that a command line asks for, each under its key."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrfer_bench.contract.budget import AS_PRESET, SETTING, budgeted, with_budget
from lrfer_bench.contract.labels import label_of, parse_label
from lrfer_bench.contract.method import Method, Need, complete_settings
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import HR, Protocol, check_scale, lr_size
from lrfer_bench.errors import UserError
from lrfer_bench.keys import key_of
from lrfer_bench.planning import defaults
from lrfer_bench.planning.declared import asking, checked
from lrfer_bench.plugins.registry import METHODS, PROTOCOLS

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class DataRef:
    """The prepared data set: what keys, records and workers need to know of it."""

    name: str
    fingerprint: str
    directory: str
    classes: tuple[str, ...]
    channels: int
    size: tuple[int, int]
    synthetic: bool


@dataclass(frozen=True)
class Request:
    """What the user asked for. test_protocols and test_scales of None mean "as trained".

    methods:  names, or names with settings for that row only: "gmenet[kd_weight=0]"
    settings: method -> setting -> value, wherever the method stands, as a stage as well
    """

    data: DataRef
    methods: Sequence[str]
    scales: Sequence[int]
    preset: Preset
    protocols: Sequence[str] = (defaults.PROTOCOL,)
    test_protocols: Sequence[str] | None = None
    test_scales: Sequence[int] | None = None
    seeds: Sequence[int] = (0,)
    settings: Mapping[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodRef:
    """A method under its settings. given: those the user changed; settings: all; code: the hash of a plugin file, or "";
    canonical: all as keys see them, where that is another form (see Method.canonical_settings);
    silent: those that keys leave out, since they are at their default (see Method.added).
    """

    name: str
    version: str
    target: str
    source: str
    code: str
    settings: Settings
    given: Settings
    canonical: Settings | None = None
    silent: tuple[str, ...] = ()

    @property
    def effective(self) -> Settings:
        """All settings as keys and needs_for() see them."""
        return self.settings if self.canonical is None else self.canonical

    @property
    def label(self) -> str:
        return label_of(self.name, self.given)

    def identity(self) -> dict[str, Any]:
        said = {k: v for k, v in self.effective.items() if k not in self.silent}
        return {"name": self.name, "version": self.version, "code": self.code, "settings": said}


@dataclass(frozen=True)
class Training:
    """One model to train. protocol is HR where scales are (1,); stages: name -> key of another training."""

    key: str
    method: MethodRef
    protocol: str
    scales: tuple[int, ...]
    data: DataRef
    seed: int
    preset: Preset
    stages: Mapping[str, str]


@dataclass(frozen=True)
class Cell:
    """One result to make: a trained model (or, with training None, its stages alone) met with one test condition."""

    key: str
    method: MethodRef
    kind: str
    test_time_augmentation: str | None
    train_protocol: str
    train_scales: tuple[int, ...]
    test_protocol: str
    test_scale: int
    data: DataRef
    seed: int
    preset: Preset
    training: str | None
    stages: Mapping[str, str]

    @property
    def size_px(self) -> int:
        return lr_size(self.data.size, self.test_scale)[0]

    @property
    def label(self) -> str:
        """How messages call it: "direct, bicubic@1 x4, seed 0"."""
        trained = ",".join(map(str, self.train_scales))
        cross = self.train_scales and (self.train_protocol, self.train_scales) != (
            self.test_protocol,
            (self.test_scale,),
        )
        origin = f" (trained on {self.train_protocol} x{trained})" if cross else ""
        return f"{self.method.label}, {self.test_protocol} x{self.test_scale}, seed {self.seed}{origin}"


@dataclass
class Plan:
    """Trainings in an order in which stages come first, and cells; both by key, each only once."""

    trainings: dict[str, Training] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)

    def below(self, keys: Iterable[str]) -> list[str]:
        """These trainings and all that they rest on through stages, in plan order."""
        found: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found.add(key)
                waiting.extend(self.trainings[key].stages.values())
        return [key for key in self.trainings if key in found]

    def needed_for(self, cell: Cell) -> list[str]:
        """Keys of all trainings a cell rests on, directly or through stages."""
        return self.below([*cell.stages.values(), *([cell.training] if cell.training else [])])

    def alone(self) -> int:
        """How many trainings the cells would cost if none shared anything."""
        return sum(len(self.needed_for(cell)) for cell in self.cells.values())


def build_plan(request: Request) -> Plan:
    """Work out trainings and cells; UserError for unknown names and impossible scales or settings, before anything runs."""
    _check(request)
    builder = _Builder(request)
    for seed in request.seeds:
        for label in request.methods:
            for protocol in request.protocols:
                builder.add(*parse_label(label), protocol, seed)
    _check_settings(request, builder.plan)
    return builder.plan


def protocol_of(name: str) -> Protocol:
    """The protocol of a name or id ("bicubic", "bicubic@1"); UserError for an unknown name or another version."""
    bare, _, version = name.partition("@")
    protocol: Protocol = PROTOCOLS.load(bare)()
    if getattr(protocol, "name", None) != bare:
        raise UserError(
            f'the protocol "{bare}" of {PROTOCOLS.entry(bare).source} calls itself {getattr(protocol, "name", None)!r} in its '
            f'records: write name = "{bare}" into its class'
        )
    if version and version != str(protocol.version):
        raise UserError(
            f"protocol {name} is not here: this lrfer-bench has {protocol.id}, and versions never mix in one table"
        )
    return protocol


def _check(request: Request) -> None:
    for scale in (*request.scales, *(request.test_scales or ())):
        check_scale(scale, request.data.size)
    for what, values in (("method", request.methods), ("scale", request.scales), ("seed", request.seeds)):
        if not values:
            raise UserError(f"no {what} was asked for: name at least one")
        if len(set(values)) != len(values):
            raise UserError(f"a {what} was asked for twice: {', '.join(map(str, values))}; name each once")
    for seed in request.seeds:
        if not 0 <= seed < 2**63:
            raise UserError(f"the seed {seed} is not possible: seeds are whole numbers from 0 to 2**63 - 1")
    for name in (*(parse_label(label)[0] for label in request.methods), *request.settings):
        METHODS.entry(name)


def _check_settings(request: Request, plan: Plan) -> None:
    """A setting that reaches nothing of the plan is a slip: it would be taken for one that made no difference."""
    reached = {training.method.name for training in plan.trainings.values()}
    reached |= {cell.method.name for cell in plan.cells.values()}
    for name in request.settings:
        if name not in reached:
            raise UserError(
                f'the setting {name}.{next(iter(request.settings[name]), "")} reaches nothing: "{name}" is neither asked for '
                "nor a stage of what is; leave it out, or name the method"
            )


class _Builder:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.plan = Plan()
        self._open: list[str] = []

    def add(self, name: str, own: Settings, protocol: str, seed: int) -> None:
        """All cells of one method under its own settings, protocol and seed."""
        cls = checked(name, METHODS.load(name))
        protocol_id = protocol_of(protocol).id
        test_protocols = [protocol_of(p).id for p in self.request.test_protocols or [protocol]]
        for scales in self._training_scales(name, cls, own):
            training = None if cls.trains == "nothing" else self._training(name, protocol_id, scales, seed, own)
            ref = training.method if training else self._method(name, cls, own)
            for test_protocol in test_protocols:
                for scale in self._test_scales(cls, scales):
                    self._cell(ref, cls, (protocol_id, scales), (test_protocol, scale), seed, training)

    def _training_scales(self, name: str, cls: type[Method], own: Settings) -> list[tuple[int, ...]]:
        """The conditions to train on. A method that trains nothing has those of its "lr" stages, or none without them."""
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
        return self.request.scales if len(trained) != 1 or cls.trains == "all scales" else trained

    def _method(self, name: str, cls: type[Method], forced: Settings) -> MethodRef:
        entry = METHODS.entry(name)
        given = {**self.request.settings.get(name, {}), **forced}
        settings = with_budget(name, complete_settings(name, cls, given), self.request.preset)
        with asking(name, cls, "canonical_settings"):
            canonical = dict(cls.canonical_settings(settings, self.request.preset))
            defaults = cls.canonical_settings(complete_settings(name, cls, {}), self.request.preset)
        changed = {k: v for k, v in canonical.items() if v != defaults[k]}
        other = canonical if canonical != settings else None
        silent = tuple(k for k in cls.added if k not in changed)
        if canonical.get(SETTING) == AS_PRESET:
            silent += (SETTING,)
        return MethodRef(name, cls.version, entry.target, entry.source, entry.code, settings, changed, other, silent)

    def _stages(
        self, cls: type[Method], ref: MethodRef, protocol: str, scales: tuple[int, ...], seed: int
    ) -> dict[str, str]:
        """Stage name -> training key."""
        with asking(ref.name, cls, "needs_for"):
            needs: dict[str, Need] = cls.needs_for(ref.effective, hr=scales == (1,))
        keys = {}
        for stage, need in needs.items():
            for scale in need.scales:
                check_scale(scale, self.request.data.size)
            keys[stage] = self._training(need.method, protocol, need.trained_at(scales), seed, need.settings).key
        return keys

    def _training(self, name: str, protocol: str, scales: tuple[int, ...], seed: int, forced: Settings) -> Training:
        # A teacher of its own kind (gmenet at HR) is no circle: only the same method at the same condition is.
        opened = f"{name}@hr" if scales == (1,) else name
        if opened in self._open:
            raise UserError(f"stages go in a circle: {' needs '.join([*self._open, opened])}; break it in needs_for()")
        cls = checked(name, METHODS.load(name))
        ref = self._method(name, cls, forced)
        self._open.append(opened)
        try:
            stages = self._stages(cls, ref, protocol, scales, seed)
        finally:
            self._open.pop()
        protocol = HR if scales == (1,) else protocol
        data, preset = self.request.data, budgeted(self.request.preset, ref.settings)
        key = key_of({
            "kind": "training", "method": ref.identity(), "protocol": protocol, "scales": scales, "seed": seed,
            "data": data.fingerprint, "preset": preset.content(), "stages": stages, **_codes(protocol),
        })  # fmt: skip
        if key not in self.plan.trainings:
            self.plan.trainings[key] = Training(key, ref, protocol, scales, data, seed, preset, stages)
        return self.plan.trainings[key]

    def _cell(
        self,
        ref: MethodRef,
        cls: type[Method],
        trained: tuple[str, tuple[int, ...]],
        tested: tuple[str, int],
        seed: int,
        training: Training | None,
    ) -> None:
        stages = dict(training.stages) if training else self._stages(cls, ref, *trained, seed)
        data, preset = self.request.data, self.request.preset
        key = key_of({
            "kind": "cell", "method": ref.identity(), "train": trained, "test": tested, "seed": seed,
            "data": data.fingerprint, "preset": preset.content(), "stages": stages, **_codes(trained[0], tested[0]),
        })  # fmt: skip
        self.plan.cells[key] = Cell(
            key, ref, "oracle" if cls.tests == "hr" else "lr", cls.test_time_augmentation, trained[0], trained[1],
            tested[0], tested[1], data, seed, preset, training.key if training else None, stages,
        )  # fmt: skip


def _codes(*protocols: str) -> dict[str, dict[str, str]]:
    """The hashes of the plugin files that protocols came from, for keys: an edited one makes other pixels.

    Nothing for the built-in ones, whose version is their pixels.
    """
    codes = {name: PROTOCOLS.entry(name.partition("@")[0]).code for name in protocols if name != HR}
    found = {name: code for name, code in codes.items() if code}
    return {"protocol_code": found} if found else {}


def subset(plan: Plan, cells: Iterable[Cell]) -> Plan:
    """The part of a plan that these cells rest on."""
    chosen = {cell.key: cell for cell in cells}
    needed = {key for cell in chosen.values() for key in plan.needed_for(cell)}
    return Plan({key: training for key, training in plan.trainings.items() if key in needed}, chosen)


def describe(thing: Training | Cell) -> dict[str, Any]:
    """A training or cell as plain data, for `plan --json` and logs."""
    return dataclasses.asdict(thing)
