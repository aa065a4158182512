"""Work that is done ahead by threads, so that a GPU does not wait for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

THREADS = 4
DEPTH = 8
"""Results that wait at most."""

Given = TypeVar("Given")
Made = TypeVar("Made")


def made_ahead(make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """make() of each, in order, a few ahead of who takes them; what it raises is raised there."""
    rest = iter(given)
    with ThreadPoolExecutor(THREADS, "batches") as pool:
        waiting: deque[Future[Made]] = deque(pool.submit(make, one) for one in islice(rest, DEPTH))
        while waiting:
            made = waiting.popleft().result()
            waiting.extend(pool.submit(make, one) for one in islice(rest, 1))
            yield made
