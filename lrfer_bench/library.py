"""lrfer-bench from Python: run, tune, evaluate, report, load_results, load_model.

`import lrfer_bench` offers the same names, loaded late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults

if TYPE_CHECKING:
    import pandas as pd

    from lrfer_bench.predicting.predictor import Predictor

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
    preset: Folder = defaults.PRESET,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    settings_file: Folder | None = None,
    plugins: OneOrMore[Folder] = (),
    results: Folder = defaults.RESULTS,
    workers: int | None = None,
    time_limit: float | None = None,
    engine: str = "local",
    overwrite: str = "never",
    join: bool = False,
    log: str | None = None,
    address: str | None = None,
    cpus_per_model: float | None = None,
    gpus_per_model: float | None = None,
    device: str | None = None,
    epochs: int | None = None, batch: int | None = None, lr: float | None = None,
    precision: str | None = None,
    targets: str | None = None,
    tell: Callable[[str], None] | None = print,
) -> pd.DataFrame:  # fmt: skip
    """Train and test methods, as `lrfer-bench run` does; what has a record is not run again.

    methods, protocols, test_protocols: names, or classes of a module, a script or a notebook
    dataset: a name or a class; data_root, data_options: your copy, and what its loader is told
    scales: 4 makes 12 pixels of 48; test_scales, test_protocols: None is "as trained"
    seeds: each varies all that is random; preset: "quick", "cpu", "paper" or a TOML file
    settings: {"gmenet": {"kd_weight": 0}}; they win over those of settings_file (see tune)
    epochs, batch, lr, precision ("fp32", "bf16", "fp16"), targets ("soft"): the preset with others
    plugins: files; results: the folder of records; workers: processes, None is one a core or GPU
    device: "cpu", "cuda:1"; engine: "local", "ray"; join and the rest of these: docs/cluster.md
    overwrite: "never", "failed", "always"; time_limit: minutes; log: "tensorboard"; tell(line)

    Returns the cells as load_results(). UserError for wrong words, and when a disk is full.
    """
    words = dict(locals())
    from lrfer_bench.calls.runs import run_from

    return run_from(words)


def evaluate(
    model: str | Callable[..., Any],
    weights: Folder | None = None,
    *,
    name: str | None = None,
    classes: OneOrMore[str] = (),
    results: Folder = defaults.RESULTS,
    **options: Any,
) -> pd.DataFrame:
    """Test a model that exists already, as `lrfer-bench evaluate` does; nothing is trained.

    model: "net.py:Net", or a class or function of a script or notebook; it makes a torch.nn.Module
           (or another callable) that answers logits or probabilities: docs/evaluate.md
    weights: their file; name: in tables, default that of the class
    classes: the names of its answers in order, where the class does not say them
    options: of run(): dataset, data_root, data_options, scales, protocols, seeds, preset (the table
             that it stands in), plugins, workers, time_limit, overwrite, device, engine, tell

    Returns and raises what run() does. Source and weights are in the key by their content.
    """
    from lrfer_bench.planning.arguments import EvaluateArguments, checked_arguments
    from lrfer_bench.plugins.existing import model_plugin
    from lrfer_bench.plugins.loading import load_plugins

    words = {"weights": weights, "name": name, "classes": classes, "results": results}
    plugins = {"plugins": options.pop("plugins", ())}
    given = checked_arguments(EvaluateArguments, {"model": model, **words, **plugins, **options})
    load_plugins(given.plugins)
    called, file = model_plugin(given.model, given.weights, given.name, given.classes)
    return run(called, results=results, plugins=[*given.plugins, file], **options)


def tune(
    methods: OneOrMore[str | type],
    *,
    trials: int = defaults.TRIALS,
    epochs: str = defaults.TRIAL_EPOCHS,
    prune: str = defaults.PRUNE,
    dataset: str | type = defaults.DATASET,
    data_root: Folder | None = None,
    data_options: Mapping[str, Any] | None = None,
    scales: OneOrMore[int] | str = defaults.TUNED_SCALES,
    protocols: OneOrMore[str | type] = defaults.PROTOCOL,
    seeds: OneOrMore[int] | str = 0,
    preset: str = defaults.PRESET,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    plugins: OneOrMore[Folder] = (),
    results: Folder = defaults.RESULTS,
    workers: int | None = None,
    time_limit: float | None = None,
    engine: str = "local",
    address: str | None = None,
    cpus_per_model: float | None = None,
    gpus_per_model: float | None = None,
    overwrite: str = "never",
    device: str | None = None,
    tell: Callable[[str], None] | None = print,
) -> pd.DataFrame:
    """Try settings of methods on the validation split, as `lrfer-bench tune` does.

    trials: of each method, the first with its defaults. epochs: the budget of every model of a
            trial, a share of the preset's ("0.5x") or a number ("7"). prune: "median" stops trials
            that are worse than earlier rounds, "none" does not.
    settings: held fixed in all trials. overwrite: "never", or "failed": try those again.
    The other arguments are those of run(). The settings that were chosen stand in
    tuning/settings.toml of the results folder, for run(..., settings_file=...).

    Returns a line for each trial: method, trial (from 1), settings (JSON), score (mean validation
    score, NaN for a failed trial), failure, chosen. UserError, one sentence, for wrong words, a
    folder of another tuning, and where Optuna is missing.
    """
    words = dict(locals())
    from lrfer_bench.calls.runs import tune_from

    return tune_from(words)


def report(
    results: OneOrMore[Folder] = defaults.RESULTS,
    out: Folder | None = None,
    *,
    plugins: OneOrMore[Folder] = (),
    tell: Callable[[str], None] | None = print,
    **options: Any,
) -> pd.DataFrame:
    """Write tables, pictures and the web page of results folders, as `lrfer-bench report` does.

    out: where to; None is report/ in the first folder, and index.html there is the page
    plugins: files that register metrics
    tell: gets the command's warnings, such as damaged records; None is quiet
    options: datasets, methods, scales, seeds: these only; protocols, test_protocols: trained and
             tested under these only; and those of lrfer_bench.reporting.collect.Options, such as
             sort_by="macs", resamples=0, pictures="none", title="...", metrics=["brier", "auroc"]
             (more columns, computed from the logits)

    Returns the leaderboard: a line a method and scale, accuracies in 0..1 with their 95 %
    intervals, and the method's rank; a method's lines stand together, the best need not be first.
    Raises UserError when there is nothing to show.
    """
    from lrfer_bench.calls.choosing import report_options
    from lrfer_bench.calls.frames import led
    from lrfer_bench.planning.arguments import (
        ReportArguments,
        ResultsArguments,
        checked_arguments,
    )
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.reporting.make import check_own, frame, make_report

    folders = {"results": results, "out": out, "plugins": plugins, "tell": tell}
    given = checked_arguments(ResultsArguments, folders)
    if not given.results:
        raise UserError("results names no folder: give one or more results folders")
    asked = report_options(checked_arguments(ReportArguments, options).given())
    target = given.out or given.results[0] / "report"
    if given.out:
        check_own(target)
    load_plugins(given.plugins)
    made = make_report(given.results, target, asked)
    if given.tell is not None:
        for warning in made.told:
            given.tell(f"warning: {warning}")
    return led(frame(made))


def load_results(*results: OneOrMore[Folder]) -> pd.DataFrame:
    """All records of some results folders ("results" when none is named): a line a cell.

    The columns of this tidy table; method, scale, accuracy, accuracy_low and accuracy_high stand
    first:

    Names: key, status ("finished" or "failed"), dataset, fingerprint, synthetic, method (with
           changed settings), source, kind ("oracle" for a ceiling), protocol and trained_scales
           (trained on), test_protocol, scale, size_px (height of the LR face in pixels), seed,
           preset, failure (the sentence of a failed cell); method_name, method_version, settings
           (JSON), test_time_augmentation, trials (of tune(); 0: nothing to tune), weights (that it
           starts from, "" is from scratch). trained_scales is "each" (the tested one), "2;4;8",
           "hr" or "nothing".
    Metrics: n (test faces), accuracy with accuracy_low and accuracy_high (95 %, over test faces),
             balanced_accuracy, macro_f1, ece in 0..1, nll in nats; the
             same with clean_ in front, without the test faces that also stand in train. NaN for a
             failed cell.
    Costs: parameters, macs (for one face), latency_ms (one face), throughput (faces a second),
           train_seconds, train_seconds_with_stages, peak_memory_mb; after `lrfer-bench measure`
           also latency_q1_ms and latency_q3_ms, its quartiles, and onnx_latency_ms.

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
    model: str | None = None,
    results: Folder = defaults.RESULTS,
    *,
    scale: int | None = None,
    dataset: str | None = None,
    protocol: str | None = None,
    preset: str | None = None,
    seed: int | None = None,
    key: str | None = None,
    plugins: OneOrMore[Folder] = (),
    device: str = "cpu",
    trust_plugins: bool = False,
    tell: Callable[[str], None] | None = print,
) -> Predictor:
    """The trained model of a cell, ready to be asked: load_model("srfer", scale=4).

    model: a method, as tables call it ("srfer", "gmenet[kd_weight=0]"); or the head of a cell's key
           (column `key` of load_results(), end of a record's file name), as key= gives it
    results: the folder with the record and the weights
    scale, dataset, protocol, preset, seed: of the test, where the folder holds several such cells;
           of several seeds the lowest is meant
    plugins: the files that the method came from, if it is not installed; classes handed over by
             run() on this machine are found again
    device: "cpu", "cuda:0", ...; trust_plugins: run plugin files that came with the results folder,
            even if it was not made here; tell: gets notes, None is quiet

        predict = lrfer_bench.load_model("srfer", scale=4)
        logits = predict(images)                  # uint8 [B, C, h, w], LR -> float32 [B, classes]
        shares = predict.probabilities(images)    # softmax of it
        names = predict.classify(images)          # ["happy", ...]
        predict.learned_on                        # "synthface (rendered faces: not for real ones)"

    Raises UserError when there is no such record or more than one, the cell failed, its weights are
    not in the folder, or the method's code is not the one that was trained.
    """
    words = dict(locals())
    from lrfer_bench.planning.arguments import LoadArguments, checked_arguments
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting.predictor import open_predictor

    given = checked_arguments(LoadArguments, words)
    load_plugins(given.plugins)
    narrowing = ("scale", "dataset", "protocol", "preset", "seed", "key")
    return open_predictor(
        given.model, given.results, {name: getattr(given, name) for name in narrowing},
        given.device, given.trust_plugins, given.tell or (lambda line: None),
    )  # fmt: skip
