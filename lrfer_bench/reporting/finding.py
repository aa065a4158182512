"""The line of a board that a name means: as the leaderboard shows it, or shorter."""

from __future__ import annotations

from collections.abc import Sequence

from lrfer_bench.contract.labels import same_label
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.collect import Report
from lrfer_bench.reporting.frame import Result
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.tuned import trials_of


def find(board: Board, name: str, notes: list[str]) -> Line | None:
    """The line of this name; for a method's name alone, that of its own sizes before others.

    Where only one line stands under a name with a mark behind it (its version, its stages'
    settings), the name without it will do; and a method's name where one line alone is of it, or
    one alone of its lines was tuned. Notes say where a name is not the line's own.
    """
    lines = [e for e in board.lines if same_label(name, e.label) or same_label(name, e.method)]
    lines = lines or [e for e in board.folded if same_label(name, e.label)]
    if not lines:
        marked = [e for e in board.lines if same_label(name, _first(e).label)]
        lines = marked if len(_methods(marked)) == 1 else _of_method(board, name)
    lines.sort(key=lambda e: (not same_label(name, e.label), e.off_scale))
    if lines and not same_label(name, lines[0].label):
        others = " and ".join(f'"{line.label}"' for line in lines[1:])
        more = f"; there is {others}, too" if others else ""
        notes.append(f'{board.title}: "{name}" is "{lines[0].label}" here{more}')
    return lines[0] if lines else None


def check_names(report: Report, *asked: str) -> None:
    """UserError for a name that no line has; it says where its records were left out."""
    known = {line.label for board in report.boards for line in board.lines}
    for name in asked:
        if any(find(board, name, []) for board in report.boards):
            continue
        if _has(report.loaded.results, name) and not _has(report.results, name):
            raise UserError(
                f'"{name}" has records, but none is left under these '
                f"{report.options.choice.options}: ask for fewer at once"
            )
        raise UserError(f'no record is about method "{name}": {did_you_mean(name, known)}')


def _has(results: Sequence[Result], name: str) -> bool:
    return any(same_label(name, one) for r in results for one in (r.method, r.label, r.method_name))


def _first(line: Line) -> Result:
    return next(iter(line.rows.values())).first


def _of_method(board: Board, name: str) -> list[Line]:
    """Of the lines of a method, whatever their settings, the only one, or the only tuned one."""
    lines = [line for line in board.lines if _first(line).method_name == name]
    if len(_methods(lines)) > 1:
        lines = [line for line in lines if any(trials_of(line))]
    if len(_methods(lines)) != 1:
        return []
    return sorted(lines, key=lambda line: line.off_scale)[:1]


def _methods(lines: Sequence[Line]) -> set[str]:
    return {line.method for line in lines}
