"""The plan: the trainings and cells that a request asks for, each under its key, as plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lrfer_bench.contract.cards import MethodCard
from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.labels import label_of
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import lr_size
from lrfer_bench.data.signature import called
from lrfer_bench.plugins.contents import contents_of

if TYPE_CHECKING:
    from lrfer_bench.contract.method import Method, Task
    from lrfer_bench.data.cache import Prepared

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

    def task(self, scales: tuple[int, ...], preset: Preset, stages: Mapping[str, Method]) -> Task:
        """What a method is built for on these data."""
        from lrfer_bench.contract.method import Task

        names = self.classes
        return Task(len(names), self.channels, self.size, scales, preset, stages, names)


def data_ref(name: str, prepared: Prepared) -> DataRef:
    """What a plan keeps of a prepared data set."""
    faces, directory = prepared.faces, str(prepared.directory.resolve())
    return DataRef(
        called(name, prepared.options),
        prepared.fingerprint,
        directory,
        faces.classes,
        faces.channels,
        faces.size,
        faces.synthetic,
    )


@dataclass(frozen=True)
class MethodRef:
    """A method under its settings.

    given:     the settings that the user changed
    settings:  all of them
    code:      the hash of a plugin file, or ""
    canonical: all as keys see them, where that is another form (see Method.canonical_settings)
    silent:    those that keys leave out, since they are at their default (see Method.added)
    trials:    of the tuning that chose its settings; 0: it has nothing to tune, None: not tuned
    card:      of a method that is not built in: it travels with the records
    """

    name: str
    version: str
    target: str
    source: str
    code: str
    settings: Settings
    given: Settings
    canonical: Settings | None = None
    key_name: str = ""
    silent: tuple[str, ...] = ()
    trials: int | None = None
    card: MethodCard | None = None

    @property
    def effective(self) -> Settings:
        """All settings as keys and needs_for() see them."""
        return self.settings if self.canonical is None else self.canonical

    @property
    def contents(self) -> dict[str, str]:
        """Setting -> the content of the file that it names."""
        return contents_of(self.effective)

    @property
    def label(self) -> str:
        return label_of(self.name, self.given)

    def identity(self) -> dict[str, Any]:
        name = self.key_name or self.name
        said = {k: v for k, v in self.effective.items() if k not in self.silent}
        return {"name": name, "version": self.version, "code": self.code, "settings": said}


@dataclass(frozen=True)
class Training:
    """One model to train. stages: name -> key of another training."""

    key: str
    method: MethodRef
    condition: Condition
    data: DataRef
    seed: int
    preset: Preset
    stages: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<Training {self.label}, key {self.key[:12]}>"

    @property
    def scales(self) -> tuple[int, ...]:
        """The scales that its method is built for."""
        return self.condition.scales

    @property
    def label(self) -> str:
        """How messages call it: "direct, bicubic@1 x4, seed 0"."""
        return f"{self.method.label}, {self.condition.label}, seed {self.seed}"


@dataclass(frozen=True)
class Cell:
    """One result to make: a trained model met with one test condition.

    training: the model's key; None where a method trains nothing and its stages alone answer
    trained, tested: the condition trained on, and the one tested on, which has one scale
    weights: "NAME sha256:HEAD" of each file that it or a stage of it starts from
    existing: nothing is trained for it, no stage either: it tests what was there before
    stage_settings: labels of its stages, of any depth, with what the user changed of them and does
             not follow from the settings of the method itself
    """

    key: str
    method: MethodRef
    kind: str
    test_time_augmentation: str | None
    trained: Condition
    tested: Condition
    data: DataRef
    seed: int
    preset: Preset
    training: str | None
    stages: Mapping[str, str]
    weights: tuple[str, ...] = ()
    existing: bool = False
    stage_settings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Cell {self.label}, key {self.key[:12]}>"

    @property
    def scales(self) -> tuple[int, ...]:
        """The scale that a method is built for which trains nothing: the tested one."""
        return self.tested.scales

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width in pixels of the faces that it is tested on."""
        return lr_size(self.data.size, self.tested.scale)

    @property
    def label(self) -> str:
        """How messages call it: "direct, bicubic@1 x4, seed 0"."""
        crossed = self.trained.scales and self.trained != self.tested
        origin = f" (trained on {self.trained.label})" if crossed else ""
        return f"{self.method.label}, {self.tested.label}, seed {self.seed}{origin}"


@dataclass
class Plan:
    """Trainings in an order in which stages come first, and cells; both by key, each only once.

    wanted: keys of trainings that are asked for by themselves, whether a cell rests on them or not
    notes: lines that a user should see before anything is trained
    """

    trainings: dict[str, Training] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    wanted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Plan: {len(self.trainings)} trainings, {len(self.cells)} cells>"

    def contents(self) -> set[str]:
        """The contents of all files that settings in this plan name."""
        refs = [training.method for training in self.trainings.values()]
        refs += [cell.method for cell in self.cells.values()]
        return {content for ref in refs for content in ref.contents.values()}

    def below(self, keys: Iterable[str]) -> list[str]:
        """These trainings and all that they rest on through stages, stages first."""
        found: dict[str, None] = {}

        def visit(key: str) -> None:
            if key not in found:
                for stage in self.trainings[key].stages.values():
                    visit(stage)
                found[key] = None

        for key in keys:
            visit(key)
        return list(found)

    def needed_for(self, cell: Cell) -> list[str]:
        """Keys of all trainings a cell rests on, directly or through stages."""
        return self.below([*cell.stages.values(), *([cell.training] if cell.training else [])])

    def alone(self) -> int:
        """How many trainings the cells would cost if none shared anything."""
        return sum(len(self.needed_for(cell)) for cell in self.cells.values())


def subset(plan: Plan, cells: Iterable[Cell], wanted: Iterable[str] = ()) -> Plan:
    """The part of a plan that these cells and these trainings rest on."""
    chosen, asked = {cell.key: cell for cell in cells}, tuple(wanted)
    needed = {key for cell in chosen.values() for key in plan.needed_for(cell)}
    needed.update(plan.below(asked))
    return Plan(
        {key: training for key, training in plan.trainings.items() if key in needed},
        chosen,
        asked,
        plan.notes,
    )


def describe(thing: Training | Cell) -> dict[str, Any]:
    """A training or cell as plain data, for `plan --json` and logs."""
    content = dataclasses.asdict(thing)
    for name in ("condition", "trained", "tested"):
        if name in content:
            content[name] = getattr(thing, name)._asdict()
    return content
