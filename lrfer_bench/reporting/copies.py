"""Lines that show the same cells: a model that is tested once is no second method.

A model trained at x4 stands in its method's line, and in the line that tests it at other scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lrfer_bench.reporting.lines import Line


def same_cells(lines: Iterable[Line], scales: Sequence[int]) -> list[list[Line]]:
    """Lines in groups that show the same cells at all of these scales, where each has a row.

    In the order of the lines; in a group a method's own line comes first.
    """
    groups: dict[tuple[frozenset[str], ...], list[Line]] = {}
    for line in lines:
        keys = tuple(line.rows[scale].keys for scale in scales)
        groups.setdefault(keys, []).append(line)
    return [sorted(group, key=lambda line: line.off_scale) for group in groups.values()]


def originals(lines: Iterable[Line], scales: Sequence[int]) -> list[Line]:
    """One line of each group of same_cells()."""
    return [group[0] for group in same_cells(lines, scales)]


def copied_at(lines: Sequence[Line], scales: Iterable[int]) -> dict[str, dict[int, str]]:
    """Label -> scale -> label of the line whose own cell it shows there."""
    found: dict[str, dict[int, str]] = {}
    for scale in scales:
        here = [line for line in lines if scale in line.rows]
        for group in same_cells(here, [scale]):
            for line in group[1:]:
                found.setdefault(line.label, {})[scale] = group[0].label
    return found


def own_lines(lines: Iterable[Line]) -> list[Line]:
    """All but those that test a method's models at other sizes beside a line of its own."""
    every = list(lines)
    own = {line.method for line in every if not line.off_scale}
    return [line for line in every if not line.off_scale or line.method not in own]
