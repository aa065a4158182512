"""Which seeds of a line count, on which boards: so that no mean is over what happened to finish."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TypeAlias

from lrfer_bench.reporting.frame import NEUTRAL, Result

Place: TypeAlias = tuple[str, ...]
"""Result.place: data set, training protocol, what was trained on, test protocol, preset, track,
method, scale."""
Sizes: TypeAlias = Mapping[int, list[Result]]


def counting_seeds(
    groups: Mapping[Place, list[Result]], partial: bool
) -> dict[Place, dict[tuple[int, ...], frozenset[str]]]:
    """Place -> seeds that count there -> training protocols of the boards where they do.

    A row that was not trained on LR faces stands on several boards, with other rows on each.
    """
    lines: dict[Place, dict[int, list[Result]]] = defaultdict(dict)
    for place, results in groups.items():
        lines[place[:-1]][results[0].record.test.scale] = results
    beside = _trained_scales(lines)
    found: dict[Place, dict[tuple[int, ...], frozenset[str]]] = {}
    for line, sizes in lines.items():
        boards = beside.get(_shared_by(line)) or {line[1]: set()}
        counted = {p: seeds_that_count(sizes, partial, others) for p, others in boards.items()}
        for scale in sizes:
            ways: dict[tuple[int, ...], frozenset[str]] = {}
            for protocol, seeds in counted.items():
                wanted = tuple(seeds[scale])
                ways[wanted] = ways.get(wanted, frozenset()) | {protocol}
            place = (*line, str(scale))
            found[place] = ways
    return found


def _shared_by(line: Place) -> Place:
    """Data set, test protocol, preset and track of a line's place."""
    dataset, _, _, test, preset, track = line[:6]
    return dataset, test, preset, track


def _trained_scales(lines: Mapping[Place, Sizes]) -> dict[Place, dict[str, set[int]]]:
    """_shared_by() -> training protocol of a board -> the LR scales that rows of it trained for."""
    found: dict[Place, dict[str, set[int]]] = defaultdict(dict)
    for line, sizes in lines.items():
        for results in sizes.values():
            train = results[0].record.train
            if not results[0].neutral:
                own = found[_shared_by(line)].setdefault(train.protocol, set())
                own |= {scale for scale in train.scales if scale > 1}
    return found


def seeds_that_count(
    sizes: Sizes, partial: bool, others: Collection[int] = ()
) -> dict[int, list[int]]:
    """Scale -> the seeds that count there, of one line's results at each scale.

    Those that have a result at every scale of the line's own: a run that was stopped amid its
    second seed is a table of the first one. Those with a failed cell, too, so that it is seen. At
    a scale that its models were only tested at, those of them that were. Where no seed is
    everywhere, and for partial means, all count, so that holes are seen.

    What existed already counts with all it has: its answers are the same under each.

    others: the scales that lines beside it were trained for
    """
    there = {scale: {r.record.seed for r in results} for scale, results in sizes.items()}
    if all(results[0].record.method.existing for results in sizes.values()):
        return {scale: sorted(seeds) for scale, seeds in there.items()}
    anywhere = sorted(set().union(*there.values()))
    own = _own_scales(sizes, others)
    everywhere = set(anywhere).intersection(*(there[scale] for scale in own or sizes))
    everywhere |= {r.record.seed for scale in own for r in sizes[scale] if not r.finished}
    if partial or not everywhere:
        return dict.fromkeys(sizes, anywhere)
    return {
        scale: sorted(everywhere if scale in own else everywhere & seeds or seeds)
        for scale, seeds in there.items()
    }


def _own_scales(sizes: Sizes, others: Collection[int]) -> list[int]:
    """The scales that a line was trained for.

    One that was not trained on LR faces has those of the lines beside it, else all of its own.
    """
    if any(results[0].trained in NEUTRAL for results in sizes.values()):
        return [scale for scale in sizes if scale in others] or list(sizes)
    return [s for s, results in sizes.items() if s in results[0].record.train.scales]
