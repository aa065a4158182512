"""What can be measured of a cell, and where it stands in its record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lrfer_bench.exporting.to_onnx import packages
from lrfer_bench.measuring.stopwatch import Bench, Times, measured
from lrfer_bench.predicting.predictor import Predictor
from lrfer_bench.store.schema import Record


@dataclass(frozen=True)
class Timed:
    """Something of a cell that is timed on a bench, and how a record tells it.

    name: what its entries in a record's environment begin with: the conditions of the bench, and
          NAME_alone, "yes" where nothing else used the machine
    """

    bench: Bench
    name: ClassVar[str]

    def told(self) -> dict[str, str]:
        """What a record's environment says of the bench, and of what ran on it."""
        return {**self.bench.told(self.name), f"{self.name}_torch": str(torch.__version__)}

    def told_with(self, alone: bool) -> dict[str, str]:
        """told(), and that nothing else used the machine where that is so."""
        return {**self.told(), **({f"{self.name}_alone": "yes"} if alone else {})}

    def is_measured(self, record: Record) -> bool:
        """Whether a record holds what was measured on such a bench, alone."""
        found = record.environment
        alone = found.get(f"{self.name}_alone") == "yes"
        return alone and all(found.get(name) == text for name, text in self.told().items())

    def with_cost(
        self, record: Record, cost: Mapping[str, float], told: Mapping[str, str]
    ) -> Record:
        """The record with these fields of its cost, and told in place of what it said of them."""
        assert record.cost is not None  # it is finished
        mine = f"{self.name}_"
        kept = {k: v for k, v in record.environment.items() if not k.startswith(mine)}
        spent = record.cost.model_copy(update=dict(cost))
        return record.model_copy(update={"cost": spent, "environment": {**kept, **told}})


@dataclass(frozen=True)
class Quantity(Timed, ABC):
    """Times of a network; NAME_network in a record is the network (see work_of()).

    NAME_weights is "new" where it was not the trained one that was measured.

    costs: the fields of a record's cost that it writes
    """

    costs: ClassVar[tuple[str, ...]]

    @abstractmethod
    def measure(self, predictor: Predictor, lr: Tensor) -> Times:
        """Measure a trained cell on a face uint8 [1, C, h, w]."""

    @abstractmethod
    def cost(self, times: Times) -> dict[str, float]:
        """Its fields of a record's cost."""

    def networks(self, records: Sequence[Record]) -> dict[str, Record]:
        """Hash -> a record of a network that was measured before, as by a call that was stopped."""
        done = [record for record in records if self.is_measured(record)]
        known = {r.environment.get(f"{self.name}_network", ""): r for r in done}
        return {network: record for network, record in known.items() if network}

    def entered(self, record: Record, times: Times, network: str, weights: str = "") -> Record:
        """The record with these times in place of its own."""
        of_it = {f"{self.name}_network": network, f"{self.name}_weights": weights}
        told = self.told_with(times.alone) | {name: text for name, text in of_it.items() if text}
        return self.with_cost(record, self.cost(times), told)

    def copied(self, record: Record, known: Record) -> Record:
        """The record with the times of another one of the same network."""
        told = {k: v for k, v in known.environment.items() if k.startswith(f"{self.name}_")}
        costs = {name: getattr(known.cost, name) for name in self.costs}
        return self.with_cost(record, costs, told)


class InTorch(Quantity):
    """The trained model as it is."""

    name = "latency"
    costs = ("latency_ms", "latency_q1_ms", "latency_q3_ms", "throughput")

    def measure(self, predictor: Predictor, lr: Tensor) -> Times:
        return measured(predictor.method, lr, self.bench)

    def cost(self, times: Times) -> dict[str, float]:
        parts = (times.latency.median, times.latency.low, times.latency.high)
        found = [round(1000 * seconds, 4) for seconds in parts]
        return dict(zip(self.costs, [*found, round(times.throughput, 2)], strict=True))


class InOnnx(Quantity):
    """The model as it is exported, in onnxruntime on the processor."""

    name = "onnx"
    costs = ("onnx_latency_ms",)

    def measure(self, predictor: Predictor, lr: Tensor) -> Times:
        """UserError where the model cannot be exported, or answers otherwise than torch."""
        from lrfer_bench.exporting.export import exported
        from lrfer_bench.measuring.onnx import onnx_times

        return onnx_times(exported(predictor, "onnx").data, lr, self.bench)

    def cost(self, times: Times) -> dict[str, float]:
        return {"onnx_latency_ms": round(1000 * times.latency.median, 4)}

    def told(self) -> dict[str, str]:
        _, runtime = packages()  # the module: its package may be called onnxruntime-gpu
        return {**self.bench.told(self.name), "onnx_runtime": str(runtime.__version__)}
