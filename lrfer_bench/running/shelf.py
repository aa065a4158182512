"""Finished models on their way to jobs: read from disk once while they are in use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from lrfer_bench.planning.plan import Plan
from lrfer_bench.running.models import Model, read_model
from lrfer_bench.store.store import Store

LIMIT = 256 * 2**20


class Shelf:
    """The models of a plan by key. The last used ones stay in memory, up to limit bytes."""

    def __init__(self, plan: Plan, store: Store, limit: int = LIMIT) -> None:
        self._plan, self._store, self._limit = plan, store, limit
        self._held: OrderedDict[str, Model] = OrderedDict()
        self._bytes = 0

    def models(self, keys: Iterable[str]) -> dict[str, Model]:
        """The finished models of these trainings; ModelMissing for the first that is not there."""
        return {key: self._model(key) for key in keys}

    def put(self, model: Model) -> None:
        """A model that was just made, and will soon be asked for."""
        key = model.training.key
        self._drop(key)
        if len(model.weights) <= self._limit:
            self._held[key] = model
            self._bytes += len(model.weights)
        while self._bytes > self._limit:
            self._drop(next(iter(self._held)))

    def _model(self, key: str) -> Model:
        model = self._held.get(key)
        if model is None:
            model = read_model(self._store, self._plan.trainings[key])
            self.put(model)
        else:
            self._held.move_to_end(key)
        return model

    def _drop(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._bytes -= len(held.weights)
