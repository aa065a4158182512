"""lrfer-bench from Python: run, report, load_results, load_model. `import lrfer_bench` offers the same names, loaded late."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    import pandas as pd

    from lrfer_bench.planning.plan import Plan
    from lrfer_bench.planning.request import Wish
    from lrfer_bench.predicting.predictor import Predictor
    from lrfer_bench.reporting.collect import Options
    from lrfer_bench.running.runner import Overwrite
    from lrfer_bench.store.store import Store

Item = TypeVar("Item")
OneOrMore: TypeAlias = "Item | Iterable[Item]"
Folder = str | Path


def run(
    methods: OneOrMore[str | type] = defaults.METHODS,
    *,
    dataset: str | type = defaults.DATASET,
    data_root: Folder | None = None,
    data_options: Mapping[str, Any] | None = None,
    scales: OneOrMore[int] | str = defaults.SCALES,
    protocols: OneOrMore[str | type] = defaults.PROTOCOL,
    test_protocols: OneOrMore[str | type] | None = None,
    test_scales: OneOrMore[int] | str | None = None,
    seeds: OneOrMore[int] | str = 0,
    preset: str = defaults.PRESET,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: OneOrMore[Folder] = (),
    results: Folder = defaults.RESULTS,
    workers: int | None = None,
    engine: str = "local",
    overwrite: str = "never",
    tell: Callable[[str], None] | None = print,
) -> pd.DataFrame:
    """Train and test methods, as `lrfer-bench run` does; what has a record already is not run again.

    methods, protocols, test_protocols: names, or classes of your own, registered or not, defined in a module, a script
        or a notebook; dataset: a name or a class. A class without a registered name gets its own in kebab-case.
    scales: down-sampling factors (4: a 48-pixel face becomes 12 pixels). test_scales, test_protocols: None is "as trained".
    settings: {"gmenet": {"kd_weight": 0}}. preset: "quick", "cpu" or "paper". overwrite: "never", "failed" or "always".
    data_root, data_options: the folder or file of your copy of the data, and what its loader is told.
    plugins: files with methods, data sets or protocols. results: the folder of records.
    seeds: whole numbers; each varies the whole pipeline. workers: processes; None is one a core, or one a GPU.
    engine: "local". tell: gets a line for each finished or failed cell; None is quiet.

    Returns the cells that were asked for, those with a record already among them, in the columns of load_results().
    A cell that failed is a line too, its reason in `failure`: so is one whose method refuses a value of a setting. Raises
    UserError, one sentence: for wrong names, files or settings before anything is trained, for a full disk when it is met.
    """
    from lrfer_bench.planning.request import check_writable, open_session
    from lrfer_bench.running.engines import engine_of
    from lrfer_bench.running.runner import Runner

    which, lines = _overwrite(overwrite), _teller(tell)
    workers = None if workers is None else _whole("workers", workers)
    engine = _text("engine", engine, "local")
    root = _folder("results", results)
    wish = _wish(root, {
        "methods": methods, "dataset": dataset, "protocols": protocols, "test_protocols": test_protocols,
        "plugins": [_folder("plugins", file) for file in _listed("plugins", plugins)],
    }, {
        "data_root": _folder("data_root", data_root) if data_root else None,
        "data_options": _options("data_options", data_options), "scales": _numbers("scales", scales),
        "test_scales": None if test_scales is None else _numbers("test_scales", test_scales),
        "seeds": _numbers("seeds", seeds), "preset": _text("preset", preset, "quick"), "settings": _settings(settings),
    })  # fmt: skip
    session = open_session(wish)
    check_writable(session.store)
    runner = Runner(session.plan, session.store, which)
    if runner.plan.cells:
        runner.run(engine_of(engine, workers, session.wish.plugins, session.store.root / "logs"), lines)
    return _frame(session.plan, session.store)


def _overwrite(word: Any) -> Overwrite:
    from lrfer_bench.running.runner import Overwrite

    if _text("overwrite", word, "never") not in {choice.value for choice in Overwrite}:
        raise UserError(f'overwrite is "{word}": give "never", "failed" or "always"')
    return Overwrite(word)


def report(
    results: OneOrMore[Folder] = defaults.RESULTS,
    out: Folder | None = None,
    *,
    plugins: OneOrMore[Folder] = (),
    **options: Any,
) -> pd.DataFrame:
    """Write tables, pictures and the web page of some results folders, as `lrfer-bench report` does.

    out: where to; None is report/ in the first folder, and index.html there is the page.
    plugins: files that register metrics.
    options: those of lrfer_bench.reporting.collect.Options, such as sort_by="macs", resamples=0, pictures="none",
        title="...", metrics=["brier", "auroc"] (more columns, computed from the logits);
        choice=lrfer_bench.reporting.choose.Choice(methods=[...], scales=[...]) leaves others out.

    Returns the leaderboard: a line a method and scale, accuracies in 0..1 with their 95 % intervals. UserError when there
    is nothing to show.
    """
    from lrfer_bench.plugins.registry import load_plugins
    from lrfer_bench.reporting.make import frame, make_report

    folders = [_folder("results", folder) for folder in _listed("results", results)]
    if not folders:
        raise UserError("results names no folder: give one or more results folders")
    files = [_folder("plugins", file) for file in _listed("plugins", plugins)]
    if files or options.get("metrics"):
        load_plugins(files)
    chosen = _report_options(options)
    target = _folder("out", out) if out else folders[0] / "report"
    return frame(make_report(folders, target, chosen))


def load_results(*results: OneOrMore[Folder]) -> pd.DataFrame:
    """All records of some results folders ("results" when none is named) as a tidy table: a line a cell.

    Names: key, status ("finished" or "failed"), dataset, fingerprint, synthetic, method (with changed settings), source,
        kind ("oracle" for a ceiling), protocol and trained_scales (trained on), test_protocol, scale, size_px (height of
        the LR face in pixels), seed, preset, failure (the sentence of a failed cell); method_name, method_version, settings
        (JSON), test_time_augmentation. trained_scales is "each" (the tested one), "2;4;8", "hr" or "nothing".
    Metrics: n (test faces), accuracy, balanced_accuracy, macro_f1, ece in 0..1, nll in nats; the same with clean_ in
        front, without the test faces that also stand in train. NaN for a failed cell.
    Costs: parameters, macs (for one face), latency_ms (one face), throughput (faces a second), train_seconds,
        train_seconds_with_stages, peak_memory_mb.

    Files that are cut or edited are left out, and so are records that claim one and the same cell. UserError when a folder is
    not there, or none of them holds a record that can be trusted.
    """
    from lrfer_bench.reporting.frame import load_frame

    listed = [folder for one_or_more in results or (defaults.RESULTS,) for folder in _listed("results", one_or_more)]
    if not listed:
        raise UserError("results names no folder: give one or more results folders")
    return load_frame([_folder("results", folder) for folder in listed])


def load_model(
    key: str, results: Folder = defaults.RESULTS, *, plugins: OneOrMore[Folder] = (), device: str = "cpu"
) -> Predictor:
    """The trained model of a cell, ready to be asked.

    key: the cell's key, or enough of its head (column `key` of load_results(), end of a record's file name).
    plugins: the files that the method came from, if it is no installed one; classes handed over by run() are found again.
    results: the folder with the record and the weights. device: "cpu", "cuda:0", ...

        predict = lrfer_bench.load_model("3f9c0a")
        logits = predict(images)                  # uint8 [B, C, h, w] at LR size -> float32 [B, classes]
        shares = predict.probabilities(images)    # softmax of it
        names = predict.classify(images)          # ["happy", ...]

    UserError when there is no such record or more than one, the cell failed, its weights are not in the folder, or the method's
    code is not the one that was trained.
    """
    from lrfer_bench.plugins.registry import load_plugins
    from lrfer_bench.predicting.predictor import open_predictor

    key = _text("key", key, "3f9c0a")
    load_plugins([_folder("plugins", file) for file in _listed("plugins", plugins)])
    return open_predictor(key, _folder("results", results), device)


def _listed(what: str, value: Any) -> list[Any]:
    """One thing as a list of one; what holds several as a list; sets, which have no order, in that of their words."""
    if value is None or isinstance(value, Mapping):
        raise UserError(f"{what} is {_shown(value)}: give one, or a list of them")
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if isinstance(value, (str, bytes, type, Path)):
        return [value]
    try:
        return list(value)
    except TypeError:  # also an array without a dimension
        return [value]


def _numbers(what: str, value: Any) -> list[int]:
    """Whole numbers; a text as the command line takes it ("2,4")."""
    if isinstance(value, str):
        from lrfer_bench.cli.options import numbers

        return numbers(what, value)
    found = [_whole(what, item) for item in _listed(what, value)]
    return sorted(found) if isinstance(value, (set, frozenset)) else found


def _whole(what: str, value: Any) -> int:
    """A plain int: 2.0 and True equal 2 and 1, but would run under other keys."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise UserError(f"{what}: {_shown(value)} is no whole number: write it as one, such as 2") from None


def _text(what: str, value: Any, example: str) -> str:
    if not isinstance(value, str):
        raise UserError(f'{what} is {_shown(value)}: give a text, such as "{example}"')
    return value


def _folder(what: str, value: Any) -> Path:
    try:
        return Path(value).expanduser()
    except TypeError:
        raise UserError(f"{what} is {_shown(value)}: give a path, as text or Path") from None


def _options(what: str, value: Any) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise UserError(f"{what} is {_shown(value)}: give a dict of names and values")
    return dict(value or {})


def _settings(value: Any) -> dict[str, dict[str, Any]]:
    """{"gmenet": {"kd_weight": 0}}, and nothing else."""
    return {
        name: _options(f"settings of {_shown(name)}", changed) for name, changed in _options("settings", value).items()
    }


def _report_options(given: dict[str, Any]) -> Options:
    from lrfer_bench.reporting.choose import PICTURES
    from lrfer_bench.reporting.collect import Options

    for name, example in (("sort_by", "rank"), ("title", "Faces"), ("pictures", "all")):
        if name in given:
            _text(name, given[name], example)
    if "metrics" in given:
        metrics = [_text("metrics", name, "brier") for name in _listed("metrics", given["metrics"])]
        given = given | {"metrics": metrics}
    if given.get("pictures", "all") not in PICTURES:
        raise UserError(f'pictures is "{given["pictures"]}": give "all", "curves" or "none"')
    if "resamples" in given:
        given = given | {"resamples": _whole("resamples", given["resamples"])}
        if given["resamples"] < 0:
            raise UserError(f"resamples is {given['resamples']}: give 0 or more")
    try:
        return Options(**given)
    except TypeError as error:
        raise UserError(f"report() does not take that: {str(error).partition(') ')[2] or error}") from error


def _shown(value: Any) -> str:
    """A value in a sentence: on one line, and a long one (a table, an array) by its type."""
    words = repr(value)
    return words if len(words) <= 60 and "\n" not in words else f"a {type(value).__name__}"


def _wish(root: Path, things: dict[str, Any], rest: dict[str, Any]) -> Wish:
    """Classes become names; the files that bring them to the workers join the plugins."""
    from lrfer_bench.planning.request import Wish
    from lrfer_bench.plugins.handover import hand_over
    from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS, load_plugins

    files: list[Path] = things["plugins"]
    load_plugins(files)
    found: dict[str, Any] = {"test_protocols": None}
    wanted = {"methods": METHODS, "dataset": DATASETS, "protocols": PROTOCOLS, "test_protocols": PROTOCOLS}
    for what, registry in wanted.items():
        if what != "test_protocols" or things[what] is not None:
            found[what], more = hand_over(registry, _listed(what, things[what]), root)
            files += more
    if len(found["dataset"]) != 1:
        raise UserError(f"dataset names {len(found['dataset'])} data sets: give one a run")
    (dataset,) = found.pop("dataset")
    return Wish(dataset=dataset, plugins=tuple(dict.fromkeys(files)), results=root, **found, **rest)


def _teller(tell: Callable[[str], None] | None) -> Callable[[Any], None]:
    """What the runner calls with its status; UserError where tell is no function and not None."""
    if tell is not None and not callable(tell):
        raise UserError(f"tell is {_shown(tell)}: give a function that takes a line, such as print, or None")
    from lrfer_bench.cli.progress import news

    def listen(status: Any) -> None:
        for line in news(status):
            if tell is not None:
                tell(line)

    return listen


def _frame(plan: Plan, store: Store) -> pd.DataFrame:
    """The records of a plan's cells, in the plan's order."""
    from lrfer_bench.contract.labels import label_of
    from lrfer_bench.reporting.frame import Result, frame_of, trained_on

    records = [record for key in plan.cells if (record := store.find(key)) is not None]
    return frame_of(
        Result(
            record, store, label_of(record.method.name, record.method.settings), record.dataset.name, trained_on(record)
        )
        for record in records
    )
