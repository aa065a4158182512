"""lrfer-bench from Python: run, report, load_results, load_model.

`import lrfer_bench` offers the same names, loaded late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    import pandas as pd

    from lrfer_bench.planning.arguments import RunArguments
    from lrfer_bench.planning.plan import Plan
    from lrfer_bench.planning.request import Request
    from lrfer_bench.predicting.predictor import Predictor
    from lrfer_bench.running.session import Display
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
    join: bool = False,
    address: str | None = None,
    cpus_per_model: float | None = None,
    gpus_per_model: float | None = None,
    tell: Callable[[str], None] | None = print,
) -> pd.DataFrame:
    """Train and test methods, as `lrfer-bench run` does.

    What has a record already is not run again.

    methods, protocols, test_protocols: names, or classes of your own, registered or not, defined in
        a module, a script or a notebook. A class without a registered name gets its own in
        kebab-case.
    dataset: a name or a class
    scales: down-sampling factors (4: a 48-pixel face becomes 12 pixels)
    test_scales, test_protocols: None is "as trained"
    settings: {"gmenet": {"kd_weight": 0}}
    preset: "quick", "cpu" or "paper"
    overwrite: "never", "failed" or "always"
    data_root, data_options: the folder or file of your copy of the data, and what its loader is
        told
    plugins: files with methods, data sets or protocols
    results: the folder of records
    seeds: whole numbers; each varies the whole pipeline
    workers: processes; None is one a core, or one a GPU
    join: share the results folder with equal runs that are there (see docs/cluster.md)
    engine: "local", or "ray" for a cluster: then address is "auto", "local" or "HOST:PORT", and
        cpus_per_model and gpus_per_model are what one model gets (1; 1 where nodes have GPUs)
    tell: gets a line for each finished or failed cell; None is quiet

    Returns the cells that were asked for, those with a record already among them, in the columns of
    load_results(). A cell that failed is a line too, its reason in `failure`: so is one whose
    method refuses a value of a setting.

    Raises UserError, one sentence: for wrong names, files or settings before anything is trained,
    for a full disk when it is met.
    """
    from lrfer_bench.planning.arguments import RunArguments, checked_arguments
    from lrfer_bench.running.session import run_session

    given = checked_arguments(
        RunArguments,
        {
            "methods": methods,
            "dataset": dataset,
            "data_root": data_root,
            "data_options": data_options,
            "scales": scales,
            "protocols": protocols,
            "test_protocols": test_protocols,
            "test_scales": test_scales,
            "seeds": seeds,
            "preset": preset,
            "settings": settings,
            "plugins": plugins,
            "results": results,
            "workers": workers,
            "engine": engine,
            "overwrite": overwrite,
            "join": join,
            "address": address,
            "cpus_per_model": cpus_per_model,
            "gpus_per_model": gpus_per_model,
            "tell": tell,
        },
    )
    outcome = run_session(_request(given), _lines(given.tell))
    return _frame(outcome.session.plan, outcome.session.store)


def report(
    results: OneOrMore[Folder] = defaults.RESULTS,
    out: Folder | None = None,
    *,
    plugins: OneOrMore[Folder] = (),
    **options: Any,
) -> pd.DataFrame:
    """Write tables, pictures and the web page of results folders, as `lrfer-bench report` does.

    out: where to; None is report/ in the first folder, and index.html there is the page
    plugins: files that register metrics
    options: those of lrfer_bench.reporting.collect.Options, such as sort_by="macs", resamples=0,
             pictures="none", title="...", metrics=["brier", "auroc"] (more columns, computed from
             the logits); choice=lrfer_bench.reporting.choose.Choice(methods=[...], scales=[...])
             leaves others out

    Returns the leaderboard: a line a method and scale, accuracies in 0..1 with their 95 %
    intervals. Raises UserError when there is nothing to show.
    """
    from lrfer_bench.planning.arguments import (
        ReportArguments,
        ResultsArguments,
        checked_arguments,
    )
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.reporting.collect import Options
    from lrfer_bench.reporting.make import frame, make_report

    folders = {"results": results, "out": out, "plugins": plugins}
    given = checked_arguments(ResultsArguments, folders)
    if not given.results:
        raise UserError("results names no folder: give one or more results folders")
    chosen = checked_arguments(ReportArguments, options).given()
    target = given.out or given.results[0] / "report"
    load_plugins(given.plugins)
    return frame(make_report(given.results, target, Options(**chosen)))


def load_results(*results: OneOrMore[Folder]) -> pd.DataFrame:
    """All records of some results folders ("results" when none is named): a line a cell.

    The columns of this tidy table:

    Names: key, status ("finished" or "failed"), dataset, fingerprint, synthetic, method (with
           changed settings), source, kind ("oracle" for a ceiling), protocol and trained_scales
           (trained on), test_protocol, scale, size_px (height of the LR face in pixels), seed,
           preset, failure (the sentence of a failed cell); method_name, method_version, settings
           (JSON), test_time_augmentation. trained_scales is "each" (the tested one), "2;4;8", "hr"
           or "nothing".
    Metrics: n (test faces), accuracy, balanced_accuracy, macro_f1, ece in 0..1, nll in nats; the
             same with clean_ in front, without the test faces that also stand in train. NaN for a
             failed cell.
    Costs: parameters, macs (for one face), latency_ms (one face), throughput (faces a second),
           train_seconds, train_seconds_with_stages, peak_memory_mb.

    Files that are cut or edited are left out, and so are records that claim one and the same cell.
    Raises UserError when a folder is missing, or none of them holds a record that can be trusted.
    """
    from lrfer_bench.planning.arguments import ResultsArguments, checked_arguments
    from lrfer_bench.reporting.frame import load_frame

    folders = [
        folder
        for one_or_more in results or (defaults.RESULTS,)
        for folder in checked_arguments(ResultsArguments, {"results": one_or_more}).results
    ]
    if not folders:
        raise UserError("results names no folder: give one or more results folders")
    return load_frame(folders)


def load_model(
    key: str,
    results: Folder = defaults.RESULTS,
    *,
    plugins: OneOrMore[Folder] = (),
    device: str = "cpu",
) -> Predictor:
    """The trained model of a cell, ready to be asked.

    key: the cell's key, or enough of its head (column `key` of load_results(), end of a record's
         file name)
    plugins: the files that the method came from, if it is no installed one; classes handed over by
             run() are found again
    results: the folder with the record and the weights
    device: "cpu", "cuda:0", ...

        predict = lrfer_bench.load_model("3f9c0a")
        logits = predict(images)                  # uint8 [B, C, h, w], LR -> float32 [B, classes]
        shares = predict.probabilities(images)    # softmax of it
        names = predict.classify(images)          # ["happy", ...]

    Raises UserError when there is no such record or more than one, the cell failed, its weights are
    not in the folder, or the method's code is not the one that was trained.
    """
    from lrfer_bench.planning.arguments import LoadArguments, checked_arguments
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting.predictor import open_predictor

    given = checked_arguments(LoadArguments, {"key": key, "results": results, "plugins": plugins})
    load_plugins(given.plugins)
    return open_predictor(given.key, given.results, device)


def _request(given: RunArguments) -> Request:
    """Classes become names; the files that bring them to the workers join the plugins."""
    from lrfer_bench.contract.preset import preset_of
    from lrfer_bench.planning.request import Request
    from lrfer_bench.plugins.handover import hand_over
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS

    files = list(given.plugins)
    load_plugins(files)
    words = {name: getattr(given, name) for name in type(given).model_fields if name != "tell"}
    kinds = {
        "methods": METHODS,
        "dataset": DATASETS,
        "protocols": PROTOCOLS,
        "test_protocols": PROTOCOLS,
    }
    for what, registry in kinds.items():
        if words[what] is not None:
            words[what], more = hand_over(registry, words[what], given.results)
            files += more
    if len(words["dataset"]) != 1:
        raise UserError(f"dataset names {len(words['dataset'])} data sets: give one a run")
    words |= {
        "dataset": words["dataset"][0],
        "plugins": tuple(dict.fromkeys(files)),
        "preset": preset_of(given.preset),
        "settings": words["settings"] or {},
        "data_options": words["data_options"] or {},
    }
    return Request(**words)


def _lines(tell: Callable[[str], None] | None) -> Display:
    """A display that tells what happens, line by line."""
    from lrfer_bench.running.status import Status, news

    def listen(status: Status) -> None:
        for line in news(status):
            if tell is not None:
                tell(line)

    return lambda status: nullcontext(listen)


def _frame(plan: Plan, store: Store) -> pd.DataFrame:
    """The records of a plan's cells, in the plan's order."""
    from lrfer_bench.reporting.frame import frame_of, plain_result
    from lrfer_bench.store.survey import find_all

    records = find_all(store, plan.cells)
    return frame_of(plain_result(record, store) for record in records)
