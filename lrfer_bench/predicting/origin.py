"""From a record back to its cell: it is planned again with the code that is installed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lrfer_bench.contract.labels import label_of, parse_label
from lrfer_bench.contract.protocol import HR
from lrfer_bench.data.cache import Prepared
from lrfer_bench.data.prepared import prepared_here
from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.files import default_cache
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.run_file import remember_contents
from lrfer_bench.plugins.existing import AGAIN, load_model_plugin
from lrfer_bench.plugins.kept import kept_plugin
from lrfer_bench.plugins.loading import recall_plugin, source_of
from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS, RECALLED, Registry
from lrfer_bench.running.models import model_facts, weights_path
from lrfer_bench.store.presets import preset_of_record
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

Image = tuple[int, int, int]
"""Channels, height and width in pixels of an HR face."""

Asked = tuple[str, Mapping[str, Mapping[str, Any]]]
"""A method's label, and settings by method: how a cell may have been asked for."""


class WeightsMissing(UserError):
    """A record is here, but a model that it rests on is not."""


ANY_IMAGE: Image = (1, 1 << 20, 1 << 20)


def cell_of(
    record: Record, store: Store, trust: bool = False, image: Image | None = None
) -> tuple[Plan, Cell]:
    """The cell of a record, with the plan of all that it rests on.

    Only when its key comes out the same are the weights on disk its own: else a UserError.
    Loads the plugin file that run() left in the results folder where the method is a script's, if
    it was made on this machine, or with trust. image: that of its data set, where it is known.
    """
    _bring_plugin(record, store, trust)
    remember_contents(store.root)
    if image is not None:
        return plan_again(record, store, image)
    # Keys do not depend on the faces' size: the first plan finds the weights, which know the size.
    plan, cell = plan_again(record, store, ANY_IMAGE)
    return plan_again(record, store, _image(record, store, plan.needed_for(cell)))


def plan_again(record: Record, store: Store, image: Image) -> tuple[Plan, Cell]:
    """A plan with the record's key in it, for HR faces of a shape; UserError if there is none."""
    try:
        preset = preset_of_record(store.root, record.preset)
    except UserError as error:
        raise RecordError(f"{record.stem} cannot be used here: {error}") from error
    channels, height, width = image
    part = record.dataset
    data = DataRef(
        part.name,
        part.fingerprint,
        "",
        tuple(part.classes),
        channels,
        (height, width),
        part.synthetic,
    )
    trained = record.test.protocol if record.train.protocol == HR else record.train.protocol
    problem: UserError | None = None
    for label, settings in _ways(record, store):
        try:
            plan = build_plan(Request(
                methods=[label], scales=record.train.scales or [record.test.scale], preset=preset,
                protocols=[trained], test_protocols=[record.test.protocol],
                test_scales=[record.test.scale], seeds=[record.seed], settings=settings,
            ), data)  # fmt: skip
        except UserError as error:
            problem = problem or error  # the first way is the plainest: its complaint is shown
            continue
        if record.key in plan.cells:
            return plan, plan.cells[record.key]
    raise problem or _made_otherwise(record)


def _made_otherwise(record: Record) -> UserError:
    """What differs: the source of a protocol or stage, if it is one, else of the method."""
    then = record.method
    was, now = f"{then.source}, version {then.version}", METHODS.entry(then.name).source
    for what, source in (then.files or {}).items():
        registry, name = _named(what)
        if registry.entry(name).source != source:
            was, now = f"{what} of {source}", registry.entry(name).source
    again = AGAIN if then.existing else "run the cell in another folder (--results NEW)"
    return UserError(
        f"{record.stem} was made by other code or settings than those here (the record: {was}; "
        f"here: {now}): use the version it came from, or {again}"
    )


def _named(what: str) -> tuple[Registry, str]:
    """The registry and the name of "protocol corner" or "method good", as records call files."""
    kind, _, name = what.partition(" ")
    return PROTOCOLS if kind == "protocol" else METHODS, name


def _bring_plugin(record: Record, store: Store, trust: bool) -> None:
    """Classes that run() handed over from a script are found again in the results folder."""
    for what, source in (record.method.files or {}).items():
        _bring(record, *_named(what), source, store, trust)
    _bring(record, METHODS, record.method.name, record.method.source, store, trust)


def _bring(
    record: Record, registry: Registry, name: str, source: str, store: Store, trust: bool
) -> None:
    """Bring one thing that a record rests on; what is the user's own under its name stays."""
    name = registry.current(name)
    here = registry.entry(name).source if name in registry.names() else ""
    existing = registry is METHODS and record.method.existing
    if here == source or (here and not existing and here not in RECALLED):
        return  # where it is another, the plan says so
    found = kept_plugin(store.root, source, trust)
    if found is not None and existing:
        load_model_plugin(name, *found)
        RECALLED.add(source_of(found[0]))
    elif found is not None:
        recall_plugin(*found)
    elif not here:
        advice = "install it, or give its file with --plugin (plugins=[...] in Python)"
        raise UserError(
            f'the {registry.kind} "{name}" of {record.stem} came from {source}, '
            f"which is not here: {AGAIN if existing else advice}"
        )


def _how_to_prepare(record: Record) -> str:
    """The command that brings its data set into the cache; a folder was given a name of its own."""
    name = record.dataset.name
    if name not in DATASETS.names():
        name = f"folder --data-option name={name} (or {name} with the file that brings it)"
    head = record.dataset.fingerprint[:16]
    return f"lrfer-bench datasets prepare {name}, with the options of its run (fingerprint {head})"


def prepared_cell(
    record: Record, store: Store, trust: bool, missing: str
) -> tuple[Prepared, Plan, Cell]:
    """The cell of a record on its prepared data set, with the plan of all that it rests on.

    No model has to be here. missing: how the UserError begins where the data set is not prepared
    """
    prepared = prepared_here(record.dataset.fingerprint)
    if prepared is None:
        raise UserError(f"{missing}: {_how_to_prepare(record)}")
    image = prepared.faces.channels, *prepared.faces.size
    return prepared, *cell_of(record, store, trust, image)


def _image(record: Record, store: Store, keys: Sequence[str]) -> Image:
    """The shape of the HR faces: kept with the weights, else in the cache of prepared data sets."""
    for key in keys:
        image = model_facts(store, key).get("image")
        if image:
            return image[0], image[1], image[2]
    prepared = prepared_here(record.dataset.fingerprint)
    if prepared is not None:
        return prepared.faces.channels, *prepared.faces.size
    prepare = f"prepare its data set: {_how_to_prepare(record)}"
    if record.method.existing:  # it has no weights of its own in a results folder
        raise UserError(
            f"the size of the faces that {record.stem} was tested on is not known, as they are not "
            f"in the cache {default_cache()}: {prepare}, or {AGAIN}"
        )
    if all(weights_path(store, key).is_file() for key in keys):
        raise UserError(
            f"the size of the faces that {record.stem} was made for is not known: neither "
            f"{store.models} nor the cache {default_cache()} tells it: {prepare}, or give "
            "the same lrfer-bench run command once more"
        )
    raise WeightsMissing(
        f"the weights of {record.stem} are not in {store.models}: records travel without them; "
        "train the cell in another folder (--results NEW), or copy the folder models/ as well"
    )


def _ways(record: Record, store: Store) -> Iterator[Asked]:
    """The ways in which the cell may have been asked for. The key says which it was."""
    name, own = record.method.name, record.method.settings
    below = {**_told_settings(record), **_stage_settings(record, store)}
    yield name, {name: own}
    yield name, {**below, name: own}  # by --set, for stages too
    yield (
        label_of(name, own, whole=True),
        below,
    )  # in brackets: these do not reach a stage of the same method


def _told_settings(record: Record) -> dict[str, Mapping[str, Any]]:
    """What the record itself tells of its stages' settings: not all of their models may be here."""
    return dict(parse_label(label) for label in record.method.stage_settings or [])


def _stage_settings(record: Record, store: Store) -> dict[str, Mapping[str, Any]]:
    """Method -> the changed settings that all its models among the stages have in common.

    Models that were saved before settings were kept have none.
    """
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [stage.key for stage in record.stages.values()]
    while waiting:
        facts = model_facts(store, waiting.pop())
        method, settings = facts.get("method", ""), facts.get("settings", {})
        known = found.get(method, settings)
        found[method] = {
            name: value
            for name, value in settings.items()
            if name in known and known[name] == value
        }
        waiting += facts.get("stages", {}).values()
    return {method: settings for method, settings in found.items() if settings}
