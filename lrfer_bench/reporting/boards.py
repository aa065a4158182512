"""Boards: one leaderboard for each data set, training and test protocol, preset, and track.

Versions of these never mix in one board. A track is what networks start from: nothing, or
pre-trained weights, and which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from lrfer_bench.plugins.registry import OURS
from lrfer_bench.reporting.folding import fold
from lrfer_bench.reporting.frame import NEUTRAL
from lrfer_bench.reporting.lines import Line
from lrfer_bench.reporting.rows import Row, sort_key
from lrfer_bench.reporting.timing import Timing, timings
from lrfer_bench.store.schema import SCRATCH

PRETRAINED = "pre-trained"
SOFT = "soft votes"


@dataclass
class Board:
    """One leaderboard.

    sizes:     scale -> size in pixels, largest size first
    folded:    lines that another one replaces (see folding.py); they stand in no table
    track:     what its networks start from; "" where no board starts from anything
    targets:   "soft votes" where they learned annotators' votes; "" for labels
    leak_free: the same board without the test rows that also stand in train; None: none does
    without:   what its title says of the rows left out, "" for a board of all test images
    tested:    whether differences were tested, so that ranks and ties mean something
    untested:  label -> why it could not be tested against the best; such a line has no rank
    against:   scale -> label of the line that all others there are tested against
    """

    dataset: str
    fingerprint: str
    synthetic: bool
    classes: list[str]
    protocol: str
    test_protocol: str
    preset: str
    sizes: dict[int, int]
    lines: list[Line]
    track: str = ""
    targets: str = ""
    folded: list[Line] = field(default_factory=list)
    leak_free: Board | None = None
    without: str = ""
    tested: bool = False
    untested: dict[str, str] = field(default_factory=dict)
    against: dict[int, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        trained = (
            ""
            if self.protocol in (self.test_protocol, "hr")
            else f"trained on {self.protocol}, tested on "
        )
        mark = " (synthetic)" if self.synthetic else ""
        own = f"{self.dataset}{mark} · {trained}{self.test_protocol} · preset {self.budget}"
        return f"{own} · {self.without}" if self.without else own

    @property
    def budget(self) -> str:
        """The preset, soft targets, and the track where there are several: what lines share."""
        return " · ".join(word for word in (self.preset, self.targets, self.track) if word)

    @property
    def slug(self) -> str:
        track = f"-{self.track}" if self.track.startswith(PRETRAINED) else ""
        clean = "-clean" if self.without else ""
        own = f"{self.dataset}-{self.protocol}-{self.test_protocol}-{self.preset}"
        return slug(f"{own}{track}{clean}")

    @cached_property
    def timings(self) -> set[Timing]:
        """What its latencies were taken under; asked for by every line, and the rows stay."""
        return timings(row for line in self.lines for row in line.shown)

    @property
    def table_scales(self) -> list[int]:
        """Its scales as tables have them: LR from the largest size down, then HR."""
        return sorted(self.sizes, key=lambda scale: (scale == 1, scale))

    @property
    def lr_scales(self) -> list[int]:
        """Scales that means, areas and ranks are taken over.

        HR is none of them, nor is a scale that nothing was trained for, where something was for
        others: an evaluated model, or a row set apart, at one more would leave others unranked.
        """
        low = [scale for scale in self.sizes if scale > 1] or list(self.sizes)
        lines = self.ranked or self.lines
        rows = [(scale, row) for line in lines for scale, row in line.rows.items()]
        trained = {s for s, row in rows if not row.neutral and s in row.record.train.scales}
        return [scale for scale in low if scale in trained] or low

    @property
    def ranked(self) -> list[Line]:
        return [line for line in self.lines if not line.apart]

    @property
    def set_apart(self) -> list[Line]:
        return [line for line in self.lines if line.apart]

    @property
    def ceilings(self) -> list[Line]:
        """Its oracles, first the one that all are measured by: whatever the lines' order.

        That is the built-in one under its own settings, else the first label.
        """
        found = [line for line in self.lines if line.oracle and line.shown]
        return sorted(found, key=lambda line: (not _as_built_in(line), sort_key((line.label,))))

    @property
    def ceiling(self) -> Row | None:
        """The row on HR images of the oracle that all are measured by, or None."""
        for line in self.ceilings[:1]:
            return line.rows[1] if line.has(1) else line.shown[0]
        return None

    @property
    def leaks_wholly(self) -> bool:
        """Whether every test image of some row also stands in train."""
        rows = [row for line in self.lines for row in line.shown]
        return any(row.part == "all" and row.leak_free is None for row in rows)

    @property
    def leaks(self) -> bool:
        return any(row.has_leaks for line in self.lines for row in line.rows.values())


def _as_built_in(line: Line) -> bool:
    """Whether it comes with this package, and neither it nor a stage of it was changed."""
    first = line.shown[0].first
    built_in = first.record.method.source.partition(" ")[0] == OURS
    return built_in and first.method == first.method_name


def slug(text: str) -> str:
    """Text as a file name: "bicubic@1" is "bicubic1", and anything unusual a hyphen."""
    plain = text.replace("@", "")
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "-" for c in plain)


def build_boards(rows: Iterable[Row], unfolded: bool = False) -> list[Board]:
    """Sort rows into boards; unfolded: with every line.

    In the order of their names, but of each data set's first those tested as trained: a page opens
    with the first.
    """
    by_test: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    existing: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    at_hr: list[Row] = []
    for row in rows:
        dataset, _, _, test, preset, track = row.first.place[:6]
        if row.neutral and row.scale == 1:
            at_hr.append(row)
        elif row.existing:
            existing[dataset, test, preset].append(row)
        else:
            by_test[dataset, test, preset, track].append(row)
    for own, alone in existing.items():  # whatever the others started from
        for key in [key for key in by_test if key[:3] == own] or [(*own, SCRATCH)]:
            by_test[key] += alone
    _add_at_hr(by_test, at_hr)
    boards = []
    for (_, test, *_), members in sorted(by_test.items(), key=lambda item: sort_key(item[0])):
        boards += [_board(members, p, test, unfolded) for p in _protocols(members, test)]
    datasets = list(dict.fromkeys(board.dataset for board in boards))
    boards.sort(key=lambda b: (datasets.index(b.dataset), b.protocol != b.test_protocol))
    if not any(board.track.startswith(PRETRAINED) for board in boards):
        boards = [_untracked(board) for board in boards]
    return boards


def _add_at_hr(by_test: dict[tuple[str, ...], list[Row]], rows: list[Row]) -> None:
    """Add rows on HR images, which are the same under every test protocol, to all boards they fit.

    What was tested under several stands there once, under the board's own where it can.
    """
    as_trained = sorted(rows, key=lambda r: r.record.train.protocol != r.record.test.protocol)
    for row in as_trained:
        dataset, _, _, test, preset, track = row.first.place[:6]
        if not any(_fits(row, key) for key in by_test):
            by_test[dataset, test, preset, track] = []
    for key, members in by_test.items():
        groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            if _fits(row, key):
                groups[row.first.method, row.first.trained].append(row)
        for group in groups.values():
            tests = [row.record.test.protocol for row in group]
            shown = key[1] if key[1] in tests else tests[0]
            members += [row for row in group if row.record.test.protocol == shown]


def _fits(row: Row, key: tuple[str, ...]) -> bool:
    """Whether a row on HR images belongs to the boards of a data set, test, preset and track."""
    dataset, _, preset, track = key
    own = row.first.dataset, row.record.preset
    return own == (dataset, preset) and (row.existing or row.record.method.track == track)


def _track(rows: list[Row]) -> str:
    """How a board's title says its track: "pre-trained (resnet18.a1_in1k sha256:0a1b2c3d4e5f)"."""
    method = next((row.record.method for row in rows if not row.existing), rows[0].record.method)
    scratch = method.existing or not method.weights
    return method.track if scratch else f"{PRETRAINED} ({', '.join(method.weights)})"


def _untracked(board: Board) -> Board:
    """A board whose track nobody has to be told."""
    clean = board.leak_free
    return replace(board, track="", leak_free=clean and replace(clean, track=""))


def _protocols(rows: list[Row], test: str) -> list[str]:
    """The training protocols that deserve a board of their own; one, where none touched a row."""
    own = {row.record.train.protocol for row in rows if not row.neutral}
    found = {row.record.train.protocol for row in rows if row.record.test.protocol == test}
    ordered = sorted(own or found, key=lambda p: (not own and p != test, sort_key((p,))))
    return ordered if own else ordered[:1]


def _board(rows: list[Row], protocol: str, test: str, unfolded: bool) -> Board:
    record = rows[0].record
    members = _members(rows, protocol)
    sizes = {row.scale: row.size_px for row in members}
    board = Board(
        rows[0].first.dataset,
        record.dataset.fingerprint,
        record.dataset.synthetic,
        record.dataset.classes,
        protocol,
        test,
        record.preset,
        {scale: sizes[scale] for scale in sorted(sizes)},
        _lines(members),
        _track(members),
        SOFT if any(row.record.train.targets == "soft" for row in members) else "",
    )
    wanted = _wanted_scales(board)
    for line in board.lines:
        line.holes = _holes(line, wanted)
    if not unfolded:
        fold(board)
    board.leak_free = _leak_free(board)
    return board


def _wanted_scales(board: Board) -> set[int]:
    """Scales at which a line without a number has a hole.

    Where only the untrained references of a run stand, the run may not be at its end: a hole too,
    though nothing is ranked there.
    """
    begun = {scale for scale in board.sizes if scale > 1 and _only_references(board, scale)}
    return {*board.lr_scales, *begun}


def _holes(line: Line, wanted: set[int]) -> dict[int, str]:
    """Scale -> why a line has no number there, of those that its board wants of it."""
    alone = line.off_scale or (line.oracle and set(line.rows) == {1})
    found = {}
    for scale in sorted({*line.rows, *(() if alone else wanted)}):
        row = line.rows.get(scale)
        if row is None or not row.counted:
            found[scale] = row.status if row else "missing"
    return found


def _only_references(board: Board, scale: int) -> bool:
    rows = [line.rows[scale] for line in board.lines if scale in line.rows]
    return all(row.neutral and not row.existing for row in rows)


def _images(board: Board) -> int:
    """How many test images there are, leaked ones included."""
    return next(int(row.means["n"]) for line in board.lines for row in line.shown)


def _leak_free(board: Board) -> Board | None:
    """The board over the leak-free rows of its lines, not yet rated; None where no row leaks."""
    rows = [row.leak_free for line in board.lines for row in line.shown if row.leak_free]
    if not board.leaks or not rows:
        return None
    left, total = int(rows[0].means["n"]), _images(board)
    lines = []
    for line in board.lines:
        own = {scale: row.leak_free for scale, row in line.rows.items() if row.leak_free}
        if not own:
            continue
        holes = {scale: "all rows leak" for scale in line.rows if scale not in own} | line.holes
        line.leak_free = Line(
            line.label, line.method, own, line.oracle, line.off_scale, line.augmentation, holes
        )
        lines.append(line.leak_free)
    without = f"without leaked rows ({left:,} of {total:,} test images)"
    return replace(board, lines=lines, folded=[], without=without, untested={}, against={})


def _members(rows: list[Row], protocol: str) -> list[Row]:
    """Rows trained under this protocol, and neutral ones: each once, where it can with its seeds.

    Of those that no board here counts the seeds of, any will do: HR is tested under others, too.
    """
    found, taken = [], set()
    own = [row for row in rows if row.record.train.protocol == protocol]
    neutral = [row for row in rows if row.neutral and row.record.train.protocol != protocol]
    for row in sorted([*own, *neutral], key=lambda row: not row.counts_on(protocol)):
        key = (row.first.method, row.first.trained, row.scale)
        if key not in taken:
            taken.add(key)
            found.append(row)
    return found


def _lines(rows: list[Row]) -> list[Line]:
    groups: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
    for row in rows:
        groups[(row.first.method, row.first.trained)][row.scale] = row
    for (method, trained), own in groups.items():
        matched = groups.get((method, "each"), {})
        if trained.isdigit() and int(trained) in matched:
            own.setdefault(int(trained), matched[int(trained)])
    variants: dict[str, int] = defaultdict(int)
    for method, _ in groups:
        variants[method] += 1
    lines = []
    for method, trained in sorted(groups, key=sort_key):
        own = dict(sorted(groups[(method, trained)].items()))
        part = next(iter(own.values())).record.method
        off = trained.isdigit() or (variants[method] > 1 and trained != "each")
        label = f"{method} (trained at {_said(trained)})" if off else method
        tta = part.test_time_augmentation
        lines.append(Line(label, method, own, part.kind == "oracle", trained.isdigit(), tta))
    return lines


def _said(trained: str) -> str:
    return trained if trained in NEUTRAL else ", ".join(f"x{scale}" for scale in trained.split(";"))
