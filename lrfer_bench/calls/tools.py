"""compare, plan, verify, merge and predict from Python; lrfer_bench offers them, loaded late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lrfer_bench.calls.notebook import watch_of
from lrfer_bench.planning import defaults
from lrfer_bench.planning.arguments import (
    CompareArguments,
    MergeArguments,
    PredictArguments,
    RunArguments,
    VerifyArguments,
    checked_arguments,
)

if TYPE_CHECKING:
    import pandas as pd

    from lrfer_bench.running.forecast import Step

Item = TypeVar("Item")
OneOrMore: TypeAlias = "Item | Iterable[Item]"
Folder = str | Path
Tell = Callable[[str], None]


def compare(
    a: str,
    b: str,
    results: OneOrMore[Folder] = defaults.RESULTS,
    *,
    datasets: OneOrMore[str] = (),
    protocols: OneOrMore[str] = (),
    test_protocols: OneOrMore[str] = (),
    scales: OneOrMore[int] = (),
    seeds: OneOrMore[int] = (),
    resamples: int = 1000,
    clean: bool = False,
    tell: Tell | None = print,
) -> pd.DataFrame:
    """Test method a against method b on the same images and seeds, as `lrfer-bench compare` does.

    a, b: names as the leaderboard shows them, such as "gmenet[kd_weight=0]"
    datasets, scales, seeds: these only; empty is all. resamples: 100 or more
    protocols, test_protocols: trained and tested under these only, such as "camera"
    clean: leave out test rows that also stand in train; tell: gets notes, None is quiet

    Returns a line for each comparison: a, b, scale, difference (a minus b in 0..1) with its 95 %
    interval (low, high), p, p_corrected (Holm, over all lines), better ("" where that is not sure),
    only_a and only_b (images that one alone has right), and where. Raises UserError for names
    without a record and where both were never tested on the same cells.
    """
    given = checked_arguments(CompareArguments, dict(locals()))
    from lrfer_bench.reporting.choose import Choice
    from lrfer_bench.reporting.duel import duel, duel_frame

    names = ("datasets", "protocols", "test_protocols", "scales", "seeds")
    choice = Choice(**{name: tuple(getattr(given, name)) for name in names})
    found = duel(given.results, given.a, given.b, choice, given.resamples, given.clean)
    _tell_all(given.tell, found.notes)
    return duel_frame(found)


def plan(
    methods: OneOrMore[str | type] = defaults.METHODS, *, estimate: bool = False, **options: Any
) -> pd.DataFrame:
    """Show what run() would do, as `lrfer-bench plan` does; nothing is trained.

    estimate: measure a few steps of each model for the column seconds (a few seconds a model)
    options: those of run(): dataset, scales, protocols, seeds, preset, settings, results, ...

    Returns a line for each training and each test: job ("train" or "test"), method, protocol, scale
    (one number, or "2;4;8"; 1 is HR), seed, state ("to do", "there", "failed", or
    "not needed": a training without a model that no test waits for), seconds (of a training, NaN:
    not estimated), after (the stages that it rests on), key. Raises UserError as
    run() does.
    """
    import pandas as pd

    from lrfer_bench.planning.from_python import request_from
    from lrfer_bench.running.forecast import forecast
    from lrfer_bench.running.session import open_session

    given = checked_arguments(RunArguments, {"methods": methods, **options})
    session = open_session(request_from(given), watch_of(given.tell))
    _tell_all(given.tell, session.plan.notes)
    found = forecast(session, estimate)
    steps = pd.DataFrame([_step(step) for step in (*found.trainings, *found.cells)])
    return steps.astype({"seconds": float})


def _step(step: Step) -> dict[str, Any]:
    from lrfer_bench.planning.plan import Training

    node = step.node
    condition = node.condition if isinstance(node, Training) else node.tested
    return {
        "job": "train" if isinstance(node, Training) else "test",
        "method": node.method.label,
        "protocol": condition.protocol,
        "scale": ";".join(map(str, condition.scales)),
        "seed": node.seed,
        "state": step.state,
        "seconds": step.seconds,
        "after": ", ".join(node.stages),
        "key": node.key,
    }


def verify(
    dataset: str = defaults.DATASET,
    data_root: Folder | None = None,
    *,
    data_options: Mapping[str, Any] | None = None,
    plugins: OneOrMore[Folder] = (),
    near: bool = True,
    tell: Tell | None = print,
) -> pd.DataFrame:
    """Read a data set's files anew and compare them with its card, as `datasets verify` does.

    near: look for near copies across splits, too. tell: gets notes, None is quiet

    Returns a line for each check: what, expected, found, ok; the audit (copies, leaks, near copies)
    is in attrs["audit"] of the frame. Raises UserError for files that are missing or damaged.
    """
    given = checked_arguments(VerifyArguments, dict(locals()))
    import pandas as pd

    from lrfer_bench.contract.cards import DatasetCard, card_of
    from lrfer_bench.data.cache import prepare
    from lrfer_bench.data.options import make_dataset
    from lrfer_bench.data.verify import verify as compare_with
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.plugins.registry import DATASETS

    load_plugins(given.plugins)
    kind = make_dataset(given.dataset, given.data_options or {})
    with watch_of(given.tell)() as tick:
        prepared = prepare(kind, given.dataset, given.data_root, anew=True, tick=tick)
    card = card_of(DATASETS.entry(given.dataset), DatasetCard)
    result = compare_with(prepared, card, near=given.near)
    _tell_all(given.tell, prepared.faces.notes)
    frame = pd.DataFrame(
        [{**vars(check), "ok": check.ok} for check in result.checks],
        columns=["what", "expected", "found", "ok"],
    )
    frame.attrs["audit"] = result.audit.summary()
    return frame


def merge(
    others: OneOrMore[Folder],
    results: Folder = defaults.RESULTS,
    *,
    other_data: bool = False,
    dry_run: bool = False,
    plugins: OneOrMore[Folder] = (),
    tell: Tell | None = print,
) -> pd.DataFrame:
    """Take the records of other results folders into mine, as `lrfer-bench merge` does.

    other_data: also records on data sets of another fingerprint. dry_run: write nothing

    Returns a line a record file: path, verdict ("taken", "stood" or "refused"), reason. Raises
    UserError where a folder is missing.
    """
    given = checked_arguments(MergeArguments, dict(locals()))
    import pandas as pd

    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.store.merge import merge as take

    load_plugins(given.plugins)
    notes: list[str] = []
    found = take(given.results, given.others, given.other_data, given.dry_run, notes.append)
    rows = [(str(one.path), one.verdict, one.reason) for one in found]
    _tell_all(given.tell, notes)
    return pd.DataFrame(rows, columns=["path", "verdict", "reason"])


def predict(
    images: OneOrMore[Folder],
    method: str | None = None,
    results: Folder = defaults.RESULTS,
    *,
    scale: int | None = None,
    dataset: str | None = None,
    protocol: str | None = None,
    preset: str | None = None,
    seed: int | None = None,
    key: str | None = None,
    images_are: str = "auto",
    plugins: OneOrMore[Folder] = (),
    trust_plugins: bool = False,
    tell: Tell | None = print,
) -> pd.DataFrame:
    """Say which expression each picture shows, as `lrfer-bench predict` does.

    images: files and folders, each picture one face. images_are: "hr", "lr" or "auto"
    method, scale, dataset, protocol, preset, seed, key: which trained model, as for load_model();
        without a scale each picture goes to the model of the nearest size
    tell: hears where the model learned and which pictures cannot be used, None is quiet

    Returns a line a picture: image, expression, probability, the probability of every class, scale.
    For arrays in memory use load_model(). Raises UserError where no picture can be used, and where
    no or more than one model is meant.
    """
    given = checked_arguments(PredictArguments, dict(locals()))
    from lrfer_bench.calls.frames import answers_frame
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.predicting.photos import predictions, tell_about
    from lrfer_bench.predicting.wanted import Wanted, cells_meant

    note = given.tell or (lambda line: None)
    load_plugins(given.plugins)
    narrowing = ("method", "scale", "dataset", "protocol", "seed", "key", "preset")
    wanted = Wanted(*(getattr(given, name) for name in narrowing))
    cells = cells_meant(given.results, wanted, note)
    found = predictions(cells, given.results, given.images, given.images_are, given.trust_plugins)
    tell_about(found, note)
    _tell_all(given.tell, [f"left out: {picture}" for picture in found.bad])
    return answers_frame(found)


def _tell_all(tell: Tell | None, lines: Iterable[str]) -> None:
    for line in lines:
        if tell is not None:
            tell(line)
