"""Jobs and their weights in a cluster: put into the object store once, and not kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import ray

from lrfer_bench.running.jobs import Job

HELD = 1 << 30
"""Bytes of weights that stay in the object store although no job needs them."""


@dataclass(frozen=True)
class Work:
    """A job without its models, and references of those by key: it may move to another node."""

    job: Job
    refs: Mapping[str, Any]


class Weights:
    """Models in the object store, each once, however many jobs rest on it."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    def refs(self, job: Job, needed: Container[str]) -> dict[str, Any]:
        """References of a job's models by key. needed: keys of what other jobs rest on."""
        for key, model in job.models.items():
            if key not in self._held:
                self._held[key] = (ray.put(model), len(model.weights))
            self._held.move_to_end(key)
        refs = {key: self._held[key][0] for key in job.models}
        held = sum(size for _, size in self._held.values())
        for key in [key for key in self._held if key not in needed and key not in refs]:
            if held <= HELD:
                break
            held -= self._held.pop(key)[1]
        return refs
