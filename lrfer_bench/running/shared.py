"""A plan that several runs work on: what is ours to make, and what others have made or are making.

Claims and agreement are those of running/joining.py.
"""

from __future__ import annotations

import time
from pathlib import Path

from lrfer_bench.files import look_anew
from lrfer_bench.planning.plan import Cell, Training
from lrfer_bench.running.frontier import Frontier, Node
from lrfer_bench.running.joining import Campaign
from lrfer_bench.running.models import has_model
from lrfer_bench.running.records import draft
from lrfer_bench.running.status import Status
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store, read_record

LOOK_SECONDS = 2.0


class Shared:
    """Stands between a runner and its frontier, where other runs work on the same plan."""

    def __init__(
        self, campaign: Campaign, frontier: Frontier, store: Store, status: Status
    ) -> None:
        self._campaign, self._claims = campaign, campaign.claims
        self._frontier, self._store, self._status = frontier, store, status
        self._elsewhere: dict[str, Node] = {}
        self._looked = time.monotonic()

    def take(self, node: Node) -> bool:
        """Whether a node is ours to make: no other run has made it or is at it."""
        if self._is_made(node):
            return False
        if not self._claims.take(node.key):
            self._elsewhere[node.key] = node
            self._status.elsewhere = len(self._elsewhere)
            return False
        for folder in self._places(node):
            look_anew(folder)  # its owner made it, and the first look is still remembered
        if self._is_made(node):  # between our look and our claim
            self._claims.give_back(node.key)
            return False
        return True

    def _places(self, node: Node) -> tuple[Path, ...]:
        """The folders where a node's result, or its failure, stands."""
        store = self._store
        return (store.records, store.logits if isinstance(node, Cell) else store.models)

    def give_back(self, key: str) -> None:
        """Its result is on disk, or its failure: others may look."""
        self._claims.give_back(key)

    def look(self) -> None:
        """Keep our claims fresh; see what others have finished or given up. Call it each turn."""
        self._campaign.keep()
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        for key, node in list(self._elsewhere.items()):
            if self._is_made(node):
                del self._elsewhere[key]
            elif not self._claims.is_taken(key):
                del self._elsewhere[key]
                self._frontier.put_back(key)
        self._status.elsewhere = len(self._elsewhere)

    def _is_made(self, node: Node) -> bool:
        """Whether nothing is left to do for a node; then the frontier knows it afterwards."""
        if isinstance(node, Cell):
            return self._is_tested(node)
        if has_model(self._store, node.key):
            self._frontier.finish(node.key)
            self._status.trained += 1
            return True
        # Where another run could not train it, all cells on it have a record of their failure.
        if any(not self._is_tested(cell) for cell in self._frontier.cells_above(node.key)):
            return False
        lost = self._frontier.lose(node.key)
        self._status.trainings -= sum(isinstance(one, Training) for one in lost)
        return True

    def _is_tested(self, cell: Cell) -> bool:
        record = self._record_of(cell)
        if record is None:
            return False
        self._frontier.finish(cell.key)
        if record.status == "failed":
            self._status.failed += 1
        else:
            self._status.finished_elsewhere += 1
        return True

    def _record_of(self, cell: Cell) -> Record | None:
        """Its record of now. A failed one from before the first run came is to be tried again."""
        found = read_record(self._store.records / f"{draft(cell).stem}.json")
        if not isinstance(found, Record) or found.key != cell.key:
            return None
        if not self._store.is_complete(found):
            return None
        old = self._store.written_at(found) <= self._campaign.began
        return None if found.status == "failed" and old else found
