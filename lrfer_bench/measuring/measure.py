"""Measuring every finished cell of a results folder: one after another, equal networks once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from lrfer_bench.contract.labels import label_of
from lrfer_bench.errors import MachineError, UserError, did_you_mean
from lrfer_bench.machine import load
from lrfer_bench.measuring.network import work_of
from lrfer_bench.measuring.stopwatch import Bench, Times, measured
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.predicting.predictor import Predictor, predictor_of
from lrfer_bench.predicting.wanted import is_called
from lrfer_bench.running.sole import sole_run
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

Verdict = Literal["measured", "the same network", "stood", "left out"]
ALONE, NETWORK = "latency_alone", "latency_network"
"""In a record's environment, beside the conditions of a Bench: "yes", and work_of() the network."""


@dataclass(frozen=True)
class Wish:
    """What is to be measured, and how.

    methods, scales: only these, by name or label; empty: all
    again: also cells that were measured on this bench, alone, before
    trust: run the results folder's own plugin files, whoever made them
    """

    bench: Bench
    methods: Sequence[str] = ()
    scales: Sequence[int] = ()
    again: bool = False
    trust: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one cell. record: as it stands now; reason: why it was left out."""

    record: Record
    verdict: Verdict
    reason: str = ""

    @property
    def alone(self) -> bool:
        return self.record.environment.get(ALONE) == "yes"


def measure(store: Store, wish: Wish, tell: Callable[[str], None]) -> Iterator[Outcome]:
    """Measure the finished cells of a results folder and write it into their records.

    Only timing changes in a record: latency_ms with its quartiles, throughput, and what begins with
    "latency_" in its environment. Each record is written as soon as it is known, whole or not at
    all. A cell whose model or code is not here is left out with a sentence.

    tell() hears of load on the machine. UserError where nothing fits the wish, where another run
    works in the folder, and where it cannot be written.
    """
    records = _chosen(store, wish)
    store.check_writable()
    with sole_run(store):
        others = load.cores_of_others()
        if not load.is_quiet(others):
            tell(
                f"other processes keep {others:.1f} cores busy: latencies taken now are marked "
                "so, and no table sorts by them; measure when the machine is idle"
            )
        known = {} if wish.again else _known_networks(records, wish.bench)
        for record in records:
            yield _one(record, store, wish, known)


def _chosen(store: Store, wish: Wish) -> list[Record]:
    """The finished records that fit, in the order of their files."""
    found = [r for r in store.scan() if isinstance(r, Record) and r.status == "finished"]
    if not found:
        raise UserError(
            f'{store.root} holds no finished cell: train something with "lrfer-bench run", '
            "or name it with --results"
        )
    for name in wish.methods:
        if not any(is_called(name, r.method.name, r.method.settings) for r in found):
            known = {METHODS.current(r.method.name) for r in found}
            raise UserError(
                f'no finished cell of the method "{name}" is in {store.root}: '
                f"{did_you_mean(name, known)}"
            )
    chosen = [record for record in found if _fits(record, wish)]
    if not chosen:
        scales = ", ".join(str(scale) for scale in sorted({r.test.scale for r in found}))
        raise UserError(f"no finished cell fits --scales: the records have {scales}")
    return chosen


def _fits(record: Record, wish: Wish) -> bool:
    method = record.method
    by_name = (is_called(name, method.name, method.settings) for name in wish.methods)
    return (not wish.methods or any(by_name)) and (
        not wish.scales or record.test.scale in wish.scales
    )


def _one(record: Record, store: Store, wish: Wish, known: dict[str, Record]) -> Outcome:
    """Measure a cell, unless it or its network was measured on this bench already."""
    if not wish.again and is_measured(record, wish.bench):
        return Outcome(record, "stood")
    try:
        if not store.is_complete(record):
            raise UserError("its logits are missing or changed: run the cell again")
        predictor = predictor_of(record, store, str(wish.bench.device), wish.trust)
        lr = face_for(predictor)
        network = work_of(predictor.method, lr.to(wish.bench.device))
        if network in known:
            found = _retimed_like(record, known[network])
        else:
            found = retimed(record, measured(predictor.method, lr, wish.bench), wish.bench, network)
    except MachineError:
        raise
    except UserError as error:
        return Outcome(record, "left out", str(error))
    except Exception as error:  # a plugin's forward can fail in any way
        return Outcome(record, "left out", f"{type(error).__name__}: {error}")
    store.amend(found)
    if network in known:
        return Outcome(found, "the same network")
    if network:
        known[network] = found
    return Outcome(found, "measured")


def face_for(predictor: Predictor) -> torch.Tensor:
    """A face of noise, uint8 [1, C, h, w]: what a network costs does not depend on who is seen."""
    generator = torch.Generator().manual_seed(0)
    shape = (1, predictor.channels, *predictor.lr_size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def is_measured(record: Record, bench: Bench) -> bool:
    """Whether a record holds what was measured on such a bench, alone."""
    told = record.environment
    return told.get(ALONE) == "yes" and all(told.get(k) == v for k, v in bench.told.items())


def _known_networks(records: Sequence[Record], bench: Bench) -> dict[str, Record]:
    """Networks that were measured on this bench before, such as by a call that was stopped."""
    done = [record for record in records if is_measured(record, bench)]
    return {r.environment[NETWORK]: r for r in done if r.environment.get(NETWORK)}


def retimed(record: Record, times: Times, bench: Bench, network: str) -> Record:
    """The record with these times in place of its own."""
    told = {**bench.told, NETWORK: network, ALONE: "yes" if times.alone else ""}
    cost = {
        "latency_ms": round(1000 * times.latency.median, 4),
        "latency_q1_ms": round(1000 * times.latency.low, 4),
        "latency_q3_ms": round(1000 * times.latency.high, 4),
        "throughput": round(times.throughput, 2),
    }
    return _with_timing(record, cost, {name: text for name, text in told.items() if text})


def _retimed_like(record: Record, known: Record) -> Record:
    """The record with the times of another one of the same network."""
    assert known.cost is not None
    names = ("latency_ms", "latency_q1_ms", "latency_q3_ms", "throughput")
    told = {k: v for k, v in known.environment.items() if k.startswith("latency_")}
    return _with_timing(record, {name: getattr(known.cost, name) for name in names}, told)


def _with_timing(record: Record, cost: Mapping[str, float | None], told: dict[str, str]) -> Record:
    assert record.cost is not None  # it is finished
    kept = {k: v for k, v in record.environment.items() if not k.startswith("latency_")}
    return record.model_copy(
        update={"cost": record.cost.model_copy(update=cost), "environment": {**kept, **told}}
    )


def named(record: Record) -> str:
    """How lines about a cell begin: "direct, bicubic@1 x4, seed 0"."""
    label = label_of(METHODS.current(record.method.name), record.method.settings)
    return f"{label}, {record.test.protocol} x{record.test.scale}, seed {record.seed}"
