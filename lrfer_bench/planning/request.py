"""Request: what a user asks for, in the words of the command line, and the way to a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.data.cache import Prepared
from lrfer_bench.data.options import prepared_dataset
from lrfer_bench.data.reading import Watch, unwatched
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.notes import notes_of, scale_notes
from lrfer_bench.planning.plan import Cell, Plan, Training, data_ref
from lrfer_bench.planning.settings_file import SettingsFile
from lrfer_bench.plugins.handover import bare
from lrfer_bench.plugins.loading import files_to_name, load_plugins
from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS, RECALLED

MOST_WORKERS = 100_000


@dataclass(frozen=True)
class Request:
    """All that one run is asked for; see `lrfer-bench run --help` for the words.

    methods:  names, or names with settings for that row only: "gmenet[kd_weight=0]"
    settings: method -> setting -> value, wherever the method stands, as a stage as well
    file:     settings from a file, for any methods; `settings` win over them
    preset:   the training budget
    log:      where what trainings tell is written for a viewer: "tensorboard", or None
    time_limit: minutes that a training or a test may take; None is any time
    test_protocols and test_scales of None mean "as trained"; workers of None is one a core, or one
    a GPU. device: "cpu", "cuda", "cuda:1" or "mps"; None takes the GPUs, if there are any.
    """

    methods: Sequence[str] = defaults.METHODS
    dataset: str = defaults.DATASET
    data_root: Path | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    scales: Sequence[int] = defaults.SCALES
    protocols: Sequence[str] = (defaults.PROTOCOL,)
    test_protocols: Sequence[str] | None = None
    test_scales: Sequence[int] | None = None
    seeds: Sequence[int] = (0,)
    preset: Preset = field(default_factory=lambda: preset_of(defaults.PRESET))
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    file: SettingsFile = field(default_factory=SettingsFile)
    plugins: Sequence[Path] = ()
    results: Path = Path(defaults.RESULTS)
    workers: int | None = None
    time_limit: float | None = None
    engine: str = defaults.ENGINE
    overwrite: str = defaults.OVERWRITE
    join: bool = False
    log: str | None = None
    address: str | None = None
    cpus_per_model: float | None = None
    gpus_per_model: float | None = None
    device: str | None = None


def plan_request(request: Request, watch: Watch = unwatched) -> tuple[Prepared, Plan]:
    """Load plugins, prepare the data and build the plan.

    watch shows how the data is prepared. Mistakes in names, scales, settings and files are
    UserErrors here, before an hour of training.
    """
    check_workers(request.workers)
    load_plugins(request.plugins)
    prepared = prepared_dataset(request.dataset, request.data_root, request.data_options, watch)
    _check_votes(request, prepared)
    _check_validation(request, prepared)
    plan = build_plan(request, data_ref(request.dataset, prepared))
    asked = (*request.scales, *(request.test_scales or ()))
    plan.notes = (*plan.notes, *scale_notes(asked, prepared.faces.size), *notes_of(plan))
    return prepared, plan


def with_files(request: Request, plan: Plan) -> Request:
    """The request with all plugin files that its plan comes from, so that run.toml names them.

    An earlier call from Python may have brought some, or LRFER_PLUGINS. The plan gets a note of
    those that are nobody's choice.
    """
    sources = _sources(request, plan)
    plan.notes += tuple(
        f"{source} is used as an earlier call took it out of a results folder: define yours again, "
        "or give its file, if that is not meant"
        for source in sorted(sources & RECALLED)
    )
    more = files_to_name(sources, request.plugins)
    return replace(request, plugins=(*request.plugins, *more))


def _sources(request: Request, plan: Plan) -> set[str]:
    """Where the methods, protocols and data set of a plan come from."""
    nodes: list[Training | Cell] = [*plan.trainings.values(), *plan.cells.values()]
    names = {METHODS: {node.method.name for node in nodes}, DATASETS: {request.dataset}}
    conditions = [training.condition for training in plan.trainings.values()]
    conditions += [met for cell in plan.cells.values() for met in (cell.trained, cell.tested)]
    names[PROTOCOLS] = {bare(condition.protocol) for condition in conditions}
    sources: set[str] = set()
    for registry, asked in names.items():
        known = {registry.current(name) for name in asked}
        sources |= {entry.source for entry in registry if entry.name in known}
    return sources


def _check_votes(request: Request, prepared: Prepared) -> None:
    """UserError where votes are to be learned and the data set has none."""
    if request.preset.targets == "soft" and prepared.faces.train.soft is None:
        raise UserError(
            f'the data set "{request.dataset}" has no votes to learn (--targets soft): use one '
            "that has them, such as ferplus, or the targets majority"
        )


def _check_validation(request: Request, prepared: Prepared) -> None:
    """UserError where an epoch is to be chosen on validation and none of its faces counts."""
    if request.preset.selection == "best-val" and prepared.faces.leaked["val"].all():
        raise UserError(
            f"all {len(prepared.faces.leaked['val']):,} validation faces of the data set "
            f'"{request.dataset}" also stand in train, so {request.preset.id} can choose no epoch '
            "on them: give it others, or take a preset that keeps the last epoch"
        )


def check_workers(workers: int | None) -> None:
    """UserError for a number of processes that no machine has."""
    if workers is not None and not 1 <= workers <= MOST_WORKERS:
        raise UserError(
            f"--workers {str(workers)[:20]} is not possible: give 1 to {MOST_WORKERS} processes"
        )
