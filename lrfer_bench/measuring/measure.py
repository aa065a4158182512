"""Measuring every finished cell of a results folder: one after another, equal networks once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from lrfer_bench.errors import MachineError, UserError, did_you_mean
from lrfer_bench.exporting.to_onnx import packages
from lrfer_bench.machine import load
from lrfer_bench.measuring.opening import Opener
from lrfer_bench.measuring.quantities import InOnnx, InTorch, Quantity, Timed
from lrfer_bench.measuring.stopwatch import Bench
from lrfer_bench.measuring.trainings import InTraining
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.predicting.called import is_called
from lrfer_bench.running.sole import sole_run
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from lrfer_bench.store.survey import sound

Verdict = Literal["measured", "the same network", "stood", "left out"]


@dataclass(frozen=True)
class Wish:
    """What is to be measured, and how.

    methods, scales: only these, by name or label; empty: all
    onnx: also the exported model, in onnxruntime on the processor
    training: also a few steps of the trainings behind it
    again: also cells that were measured on this bench, alone, before
    untrained: also cells whose models are not here, with new weights
    trust: run the results folder's own plugin files, even if not made here
    """

    bench: Bench
    methods: Sequence[str] = ()
    scales: Sequence[int] = ()
    onnx: bool = False
    training: bool = False
    again: bool = False
    untrained: bool = False
    trust: bool = False

    @property
    def quantities(self) -> list[Quantity]:
        """What is measured of each cell."""
        on_processor = Bench(torch.device("cpu"), self.bench.threads)
        return [InTorch(self.bench), *([InOnnx(on_processor)] if self.onnx else [])]


@dataclass(frozen=True)
class Outcome:
    """What became of a quantity of one cell.

    record: as it stands now; reason: why it was left out
    """

    record: Record
    quantity: Timed
    verdict: Verdict
    reason: str = ""

    @property
    def alone(self) -> bool:
        """Whether nothing else used the machine meanwhile."""
        return self.record.environment.get(f"{self.quantity.name}_alone") == "yes"


def measure(store: Store, wish: Wish, tell: Callable[[str], None]) -> Iterator[Outcome]:
    """Measure the finished cells of a results folder and write it into their records.

    Only timing changes in a record: of its cost what a quantity writes (quantities.py), and what
    begins with "latency_", "onnx_" or "training_" in its environment. Each record is written as
    soon as it is known, whole or not at all. A cell whose model or code is not here is left out
    with a sentence.

    tell() hears of damaged records and of load on the machine. UserError where nothing fits the
    wish, where another run works in the folder, where it cannot be written, and where packages for
    ONNX are missing.
    """
    if wish.onnx:
        packages()
    records = _chosen(store, wish, tell)
    store.check_writable()
    with sole_run(store, may_join=False):
        opener, known = Opener(store, wish.untrained, wish.trust), {}
        trainings = InTraining(wish.bench, wish.trust)
        asked = [*wish.quantities, *([trainings] if wish.training else [])]
        if wish.again or not all(what.is_measured(r) for what in asked for r in records):
            _tell_of_load(tell)
        for what in wish.quantities:
            known[what.name] = {} if wish.again else what.networks(records)
        for record in records:
            for what in wish.quantities:
                outcome = _one(record, store, what, known[what.name], opener, wish.again)
                record = outcome.record
                yield outcome
            if wish.training:
                yield _timed(record, store, trainings, wish.again)


def _tell_of_load(tell: Callable[[str], None]) -> None:
    others = load.cores_of_others()
    if not load.is_quiet(others):
        tell(
            f"other processes keep {others:.1f} cores busy: latencies taken now are marked "
            "so, and no table sorts by them; measure when the machine is idle"
        )


def _chosen(store: Store, wish: Wish, tell: Callable[[str], None]) -> list[Record]:
    """The finished records that fit, in the order of their files."""
    found = [record for record in sound(store, tell) if record.status == "finished"]
    if not found:
        raise UserError(
            f'{store.root} holds no finished cell: train something with "lrfer-bench run", '
            "or name it with --results"
        )
    for name in wish.methods:
        if not any(is_called(name, r.method) for r in found):
            known = {METHODS.current(r.method.name) for r in found}
            raise UserError(
                f'no finished cell of the method "{name}" is in {store.root}: '
                f"{did_you_mean(name, known)}"
            )
    chosen = [record for record in found if _fits(record, wish)]
    if not chosen:
        named = [record for record in found if _is_named(record, wish)]
        scales = ", ".join(str(scale) for scale in sorted({r.test.scale for r in named}))
        raise UserError(f"no finished cell fits --scales: these records have {scales}")
    return chosen


def _fits(record: Record, wish: Wish) -> bool:
    return _is_named(record, wish) and (not wish.scales or record.test.scale in wish.scales)


def _is_named(record: Record, wish: Wish) -> bool:
    return not wish.methods or any(is_called(name, record.method) for name in wish.methods)


def _one(
    record: Record,
    store: Store,
    what: Quantity,
    known: dict[str, Record],
    opener: Opener,
    again: bool,
) -> Outcome:
    """Measure a quantity of a cell; one whose network was measured has the times of that."""

    def take() -> tuple[Record, Verdict]:
        if not store.is_complete(record):
            raise UserError("its logits are missing or changed: run the cell again")
        opened = opener.open(record, what.bench.device)
        if opened.network in known:
            return what.copied(record, known[opened.network]), "the same network"
        times = what.measure(opened.predictor, opened.lr)
        found = what.entered(record, times, opened.network, opened.weights)
        if opened.network:
            known[opened.network] = found
        return found, "measured"

    return _written(record, store, what, again, take)


def _written(
    record: Record,
    store: Store,
    what: Timed,
    again: bool,
    take: Callable[[], tuple[Record, Verdict]],
) -> Outcome:
    """Write what take() measures of a cell, unless that was done on this bench already."""
    if not again and what.is_measured(record):
        return Outcome(record, what, "stood")
    try:
        found, verdict = take()
    except MachineError:
        raise
    except UserError as error:
        return Outcome(record, what, "left out", str(error))
    except Exception as error:  # a plugin's code can fail in any way
        return Outcome(record, what, "left out", f"{type(error).__name__}: {error}")
    store.amend(found)
    return Outcome(found, what, verdict)


def _timed(record: Record, store: Store, what: InTraining, again: bool) -> Outcome:
    """Time the trainings of a cell."""
    return _written(record, store, what, again, lambda: (what.entered(record, store), "measured"))
