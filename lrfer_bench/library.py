"""lrfer-bench from Python: run, report, load_results, load_model. `import lrfer_bench` offers the same names, loaded late."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lrfer_bench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from lrfer_bench.plan import Plan
    from lrfer_bench.predictor import Predictor
    from lrfer_bench.session import Wish
    from lrfer_bench.store import Store

Item = TypeVar("Item")
OneOrMore: TypeAlias = "Item | Sequence[Item]"
Folder = str | Path
DEFAULT_METHODS = ("oracle", "bicubic", "direct", "multires")


def run(
    methods: OneOrMore[str | type] = DEFAULT_METHODS,
    *,
    dataset: str | type = "synthface",
    data_root: Folder | None = None,
    data_options: Mapping[str, Any] | None = None,
    scales: OneOrMore[int] = (2, 4, 8),
    protocols: OneOrMore[str | type] = "bicubic",
    test_protocols: OneOrMore[str | type] | None = None,
    test_scales: OneOrMore[int] | None = None,
    seeds: OneOrMore[int] = 0,
    preset: str = "quick",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: OneOrMore[Folder] = (),
    results: Folder = "results",
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
    workers: processes; None is one a core, or one a GPU. tell: gets a line for each finished or failed cell; None is quiet.

    Returns the cells that were asked for, those with a record already among them, in the columns of load_results().
    A cell that failed is a line too, its reason in `failure`. Raises UserError, one sentence, for wrong names, files or
    settings, before anything is trained.
    """
    from lrfer_bench.engines import engine_of
    from lrfer_bench.runner import Overwrite, Runner
    from lrfer_bench.session import check_writable, open_session

    if overwrite not in {choice.value for choice in Overwrite}:
        raise UserError(f'overwrite is "{overwrite}": give "never", "failed" or "always"')
    root = Path(results).expanduser()
    wish = _wish(root, {
        "methods": methods, "dataset": dataset, "protocols": protocols, "test_protocols": test_protocols,
        "plugins": _listed(plugins),
    }, {
        "data_root": Path(data_root).expanduser() if data_root else None, "data_options": dict(data_options or {}),
        "scales": _listed(scales), "test_scales": None if test_scales is None else _listed(test_scales),
        "seeds": _listed(seeds), "preset": preset, "settings": dict(settings or {}),
    })  # fmt: skip
    session = open_session(wish)
    check_writable(session.store)
    runner = Runner(session.plan, session.store, Overwrite(overwrite))
    if runner.plan.cells:
        lines = _teller(tell)
        runner.run(engine_of(engine, workers, session.wish.plugins, session.store.root / "logs"), lines)
    return _frame(session.plan, session.store)


def report(results: OneOrMore[Folder] = "results", out: Folder | None = None, **options: Any) -> pd.DataFrame:
    """Write tables, pictures and the web page of some results folders, as `lrfer-bench report` does.

    out: where to; None is report/ in the first folder, and index.html there is the page.
    options: those of lrfer_bench.report.make.Options, such as sort_by="macs", resamples=0, pictures="none", title="...".

    Returns the leaderboard: a line a method and scale, accuracies in 0..1 with their 95 % intervals. UserError when there
    is nothing to show.
    """
    from lrfer_bench.report.make import Options, make_report
    from lrfer_bench.report.table import leaderboard_frame

    listed: list[Folder] = _listed(results)
    folders = [Path(folder).expanduser() for folder in listed]
    try:
        chosen = Options(**options)
    except TypeError as error:
        raise UserError(f"report() does not take that: {str(error).partition(') ')[2] or error}") from error
    made = make_report(folders, Path(out).expanduser() if out else folders[0] / "report", chosen)
    return leaderboard_frame(made.rows, made.boards)


def load_results(*results: Folder) -> pd.DataFrame:
    """All records of some results folders ("results" when none is named) as a tidy table: a line a cell.

    Names: key, status ("finished" or "failed"), dataset, fingerprint, synthetic, method (with changed settings), source,
        kind ("oracle" for a ceiling), protocol and trained_scales (trained on), test_protocol, scale, size_px (height of
        the LR face in pixels), seed, preset, failure (the sentence of a failed cell).
    Metrics: n (test faces), accuracy, balanced_accuracy, macro_f1, ece in 0..1, nll in nats; the same with clean_ in
        front, without the test faces that also stand in train. NaN for a failed cell.
    Costs: parameters, macs (for one face), latency_ms (one face), throughput (faces a second), train_seconds,
        train_seconds_with_stages, peak_memory_mb.

    Files that are cut or edited are left out. UserError when a folder holds no record that can be trusted.
    """
    from lrfer_bench.report.frame import load_frame

    return load_frame(Path(folder).expanduser() for folder in results or ("results",))


def load_model(
    key: str, results: Folder = "results", *, plugins: OneOrMore[Folder] = (), device: str = "cpu"
) -> Predictor:
    """The trained model of a cell, ready to be asked.

    key: the cell's key, or enough of its head (column `key` of load_results(), end of a record's file name).
    plugins: the files that the method came from, if it is no installed one; classes handed over by run() are found again.

        predict = lrfer_bench.load_model("3f9c0a")
        logits = predict(images)                  # uint8 [B, C, h, w] at LR size -> float32 [B, classes]
        shares = predict.probabilities(images)    # softmax of it
        names = predict.classify(images)          # ["happy", ...]

    UserError when there is no such record, its weights are not in the folder, or the method's code is not the one that
    was trained.
    """
    from lrfer_bench.predictor import open_predictor
    from lrfer_bench.registry import load_plugins

    load_plugins(_listed(plugins))
    return open_predictor(key, Path(results).expanduser(), device)


def _listed(value: OneOrMore[Item]) -> list[Item]:
    """One thing as a list of one; a list as it is."""
    if isinstance(value, (str, type, Path)) or not isinstance(value, Sequence):
        return [value]  # type: ignore[list-item]
    return list(value)


def _wish(root: Path, things: dict[str, Any], rest: dict[str, Any]) -> Wish:
    """Classes become names; the files that bring them to the workers join the plugins."""
    from lrfer_bench.handover import hand_over
    from lrfer_bench.registry import DATASETS, METHODS, PROTOCOLS, load_plugins
    from lrfer_bench.session import Wish

    plugins: list[Folder] = things["plugins"]
    load_plugins(plugins)
    files = [Path(file) for file in plugins]
    found: dict[str, Any] = {"test_protocols": None}
    wanted = {"methods": METHODS, "dataset": DATASETS, "protocols": PROTOCOLS, "test_protocols": PROTOCOLS}
    for what, registry in wanted.items():
        if things[what] is not None:
            found[what], more = hand_over(registry, _listed(things[what]), root)
            files += more
    (dataset,) = found.pop("dataset")
    return Wish(dataset=dataset, plugins=tuple(dict.fromkeys(files)), results=root, **found, **rest)


def _teller(tell: Callable[[str], None] | None) -> Callable[[Any], None]:
    from lrfer_bench.cli.progress import news

    def listen(status: Any) -> None:
        for line in news(status):
            if tell is not None:
                tell(line)

    return listen


def _frame(plan: Plan, store: Store) -> pd.DataFrame:
    """The records of a plan's cells, in the plan's order."""
    from lrfer_bench.report.frame import Cell, frame_of, trained_on
    from lrfer_bench.variants import label_of

    records = [record for key in plan.cells if (record := store.find(key)) is not None]
    return frame_of(
        Cell(
            record, store, label_of(record.method.name, record.method.settings), record.dataset.name, trained_on(record)
        )
        for record in records
    )
