"""The frontier of a plan: what can run now. A step costs what it changes, however large the plan.

Each node counts the models that it still waits for, so nothing is searched for.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Set

from lrfer_bench.planning.plan import Cell, Plan, Training

Node = Training | Cell
FIRST = -1
"""A place before all seeds, for a training that is tried once more."""


class Frontier:
    """Nodes whose models are all there: cells first, then the training that most others wait for.

    Cells come first since they are quick, and their result is then safe. All of a seed comes before
    the next one, so that a run that is stopped leaves whole tables of the first seeds.

    made: keys of trainings whose model exists already. A cell needs the models below its own one as
    well, so such a training counts as there only when all that it rests on is there, too.
    """

    def __init__(self, plan: Plan, made: Set[str] = frozenset()) -> None:
        self._nodes: dict[str, Node] = {**plan.trainings, **plan.cells}
        self._order = {key: number for number, key in enumerate(self._nodes)}
        self._made = set(made)
        self._ready: set[str] = set()
        self._taken: set[str] = set()
        self._lost: set[str] = set()
        self._above: dict[str, list[str]] = defaultdict(list)
        self._below: dict[str, set[str]] = {}
        self._missing: dict[str, int] = {}
        self._cells: deque[str] = deque()
        self._trainings: list[tuple[tuple[int, int, int], str]] = []
        for key, node in self._nodes.items():
            self._below[key] = models_of(node)
            self._missing[key] = len(self._below[key])
            for model in self._below[key]:
                self._above[model].append(key)
        asked = dict.fromkeys(training.seed for training in plan.trainings.values())
        places = {seed: place for place, seed in enumerate(asked)}
        self._ranks = {
            key: (places[training.seed], -self._trainings_above(key), self._order[key])
            for key, training in plan.trainings.items()
        }
        for key in [key for key, count in self._missing.items() if not count]:
            self._open(key)

    def next(self) -> Node | None:
        """Take what should run next; None when all that is left waits for something."""
        while self._cells or self._trainings:
            key = self._cells.popleft() if self._cells else heapq.heappop(self._trainings)[1]
            if key in self._ready:  # else a model that it rests on was found damaged since
                self._ready.discard(key)
                self._taken.add(key)
                return self._nodes[key]
        return None

    def again(self, key: str) -> None:
        """What was taken is to run once more, before others."""
        self._taken.discard(key)
        self._ready.add(key)
        if isinstance(self._nodes[key], Cell):
            self._cells.appendleft(key)
        else:
            heapq.heappush(self._trainings, ((FIRST, 0, self._order[key]), key))

    def put_back(self, key: str) -> None:
        """What was taken is to run later, after others of its kind."""
        self._taken.discard(key)
        self._ready.add(key)
        if isinstance(self._nodes[key], Cell):
            self._cells.append(key)
        else:
            heapq.heappush(self._trainings, (self._ranks[key], key))

    def finish(self, key: str) -> None:
        """A node that was taken is done: what waited for it alone can run."""
        self._taken.discard(key)
        below = sum(model in self._missing for model in self._below[key])
        if below and key in self._missing:  # one of its stages was found damaged meanwhile
            self._made.add(key)
            self._missing[key] = below
            return
        self._missing.pop(key, None)
        for above in self._above.get(key, ()):
            if above in self._missing:
                self._missing[above] -= 1
                if not self._missing[above]:
                    self._open(above)

    def wait_for(self, key: str, model: str) -> bool:
        """What was taken cannot run: a model below it is not there after all, and is to be made.

        True if that is news, False if it is waited for already.
        """
        self._taken.discard(key)
        news = model not in self._missing
        if news:
            self._made.discard(model)
            self._reopen(model)
            if not self._missing[model]:
                self.again(model)
        if not self._missing[key]:  # it rests on the model through others, which are there
            self._missing[key] += 1
            self._below[key].add(model)
            self._above[model].append(key)
        return news

    def _reopen(self, key: str) -> None:
        """A training counts as there no more, nor do those on it, which have their models."""
        opened: list[str] = []
        waiting = [key]
        while waiting:
            key = waiting.pop()
            if key in self._missing or key in self._lost or isinstance(self._nodes[key], Cell):
                continue
            self._missing[key] = 0  # counted below, when all are known
            self._made |= {key} if opened else set()
            opened.append(key)
            waiting += self._above.get(key, ())
        touched = {above for key in opened for above in self._above.get(key, ())}
        for key in touched.union(opened) & self._missing.keys():
            self._missing[key] = sum(model in self._missing for model in self._below[key])
            if self._missing[key]:
                self._ready.discard(key)

    def lose(self, key: str) -> list[Node]:
        """A node will never be there: take out it and all that rests on it, in plan order."""
        lost: list[Node] = []
        waiting = [key]
        while waiting:
            key = waiting.pop()
            if self._missing.pop(key, None) is not None:
                self._lost.add(key)
                lost.append(self._nodes[key])
                waiting += self._above.get(key, ())
        return sorted(lost, key=lambda node: self._order[node.key])

    def cells_above(self, key: str) -> Iterator[Cell]:
        """The cells that rest on a node and are neither finished nor lost."""
        seen: set[str] = set()
        waiting = [key]
        while waiting:
            for above in self._above.get(waiting.pop(), ()):
                node = self._nodes[above]
                if above in self._missing and above not in seen:
                    seen.add(above)
                    waiting.append(above)
                    if isinstance(node, Cell):
                        yield node

    def __len__(self) -> int:
        """How many nodes have neither finished nor been lost."""
        return len(self._missing)

    def _open(self, key: str) -> None:
        if key in self._made:
            self.finish(key)
        elif key not in self._taken:  # it runs, and had its models before one was found damaged
            self.put_back(key)

    def _trainings_above(self, key: str) -> int:
        return sum(isinstance(self._nodes[above], Training) for above in self._above.get(key, ()))


def models_of(node: Node) -> set[str]:
    """Keys of the models that a node loads itself; those load what they rest on."""
    own: Iterable[str] = (node.training,) if isinstance(node, Cell) and node.training else ()
    return {*node.stages.values(), *own}
