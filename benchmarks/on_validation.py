"""Rows of one or several methods side by side on the validation split: what does a setting bring?

    python benchmarks/on_validation.py --methods "gmenet,gmenet[centred=true]" [--scales 4]
        [--seeds 100] [--preset cpu] [--epochs 0.2x] [--dataset fer2013 --data-root FOLDER]
        [--results validated] [--workers N] [--device cpu]

Trains what the rows need through the program's own runner and tests nothing: trainings and scores
open the train and validation splits only. Models are kept in the folder, so that a run that was
stopped goes on and another row costs its own training alone.

Prints for every row, scale and seed the validation score of the model that was kept, its difference
from the first row at that scale and seed with the p of a paired test over the same faces
(McNemar's, where scores are right or wrong), and each loss as it was in the first and in the last
epoch. A model for several scales has one row: the mean over those that were asked for, each with
the whole split.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lrfer_bench.cli.progress import show
from lrfer_bench.contract.budget import SETTING, budgeted, with_budget
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.plan import Plan
from lrfer_bench.planning.request import Request, plan_request
from lrfer_bench.planning.settings import integers, names
from lrfer_bench.reporting.numbers import p_text
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.engines import engine_for
from lrfer_bench.running.models import has_model, model_facts
from lrfer_bench.running.runner import Runner
from lrfer_bench.running.sole import sole_run, sweep_store
from lrfer_bench.scoring.paired import paired
from lrfer_bench.store.store import Store
from lrfer_bench.tuning.validated import scores_at, shown_at, trainings_of

Scores = NDArray[np.float32]


def asked(options: argparse.Namespace) -> Request:
    preset = preset_of(options.preset)
    budget = with_budget("on_validation", {SETTING: options.epochs}, preset)
    return Request(
        methods=names("--methods", options.methods), dataset=options.dataset,
        data_root=options.data_root, scales=integers("--scales", options.scales),
        seeds=integers("--seeds", options.seeds), preset=budgeted(preset, budget),
        results=options.results, workers=options.workers, device=options.device,
    )  # fmt: skip


def scores(whole: Plan, key: str, store: Store, device: torch.device) -> Scores:
    """Of each validation face, [1, N], the mean over the scales that the row is tested at."""
    training = whole.trainings[key]
    scales = shown_at(whole, key) or training.scales
    found = scores_at(scales, training, whole, store, device)
    return (sum(found[1:], start=found[0]) / len(found)).numpy()[None]


def row(whole: Plan, key: str, store: Store, own: Scores, first: Scores) -> str:
    training, history = whole.trainings[key], model_facts(store, key)["history"]
    begun, ended = history[0]["losses"], history[-1]["losses"]
    losses = ", ".join(f"{name} {begun[name]:.3f} to {ended[name]:.3f}" for name in ended)
    shown = ",".join(map(str, shown_at(whole, key) or training.scales))
    gap, p, _ = paired(own, first)
    against = "" if own is first else f"{100 * gap.value:+.1f} (p {p_text(p)})"
    return (
        f"| {training.method.label} | {shown} | {training.seed} | {100 * own.mean():.1f} | "
        f"{against} | {losses} |"
    )


def rows(whole: Plan, store: Store, device: str) -> Iterator[str]:
    """whole: a plan with its cells, which say at which scales a model is scored."""
    yield "| row | scale | seed | validation % | minus the first | losses, first to last epoch |"
    yield "|---|---|---|---|---|---|"
    first: dict[object, Scores] = {}
    for key in trainings_of(whole).wanted:
        if has_model(store, key):
            own = scores(whole, key, store, torch.device(device))
            training = whole.trainings[key]
            place = (tuple(shown_at(whole, key) or training.scales), training.seed)
            yield row(whole, key, store, own, first.setdefault(place, own))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", required=True)
    parser.add_argument("--scales", default="4")
    parser.add_argument("--seeds", default="100")
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--epochs", default="0.2x")
    parser.add_argument("--dataset", default="synthface")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--results", type=Path, default=Path("validated"))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    request = asked(options)
    _, whole = plan_request(request)
    plan, store = trainings_of(whole), Store(request.results)
    store.check_writable()
    with sole_run(store):
        sweep_store(store, checkpoints=True)
        runner = Runner(plan, store)
        engine = engine_for(request, store.root / "logs")
        with show(runner.status) as listener:
            runner.run(engine, listener)
    print("\n".join(rows(whole, store, devices_of(options.device)[0])))
    for key, reason in runner.lost.items():
        print(f"not trained: {plan.trainings[key].label}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
