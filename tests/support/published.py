"""The tables, quotes and comparisons of README and of the pages of results, from records.

    python tests/support/published.py    writes them into the pages anew, after `lrfer-bench report`

Sentences around them are written by hand; tests/docs holds their numbers.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import in_process
from folders import REFERENCE, REFERENCE_GPU, ROOT

from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write
from lrfer_bench.reporting.numbers import p_text, signed
from lrfer_bench.reporting.words import answers, headline

README = ROOT / "README.md"
PAGE = ROOT / "docs" / "results.md"
GPU_PAGE = ROOT / "docs" / "results-gpu.md"
ELSEWHERE = ROOT / "docs" / "results-elsewhere.md"
FERPLUS = ROOT / "docs" / "results-ferplus.md"
CHOSEN = ROOT / "results" / "reference-tuning" / "tuning" / "settings.toml"
SIZES = {48: "48 px (HR)", 24: "24 px (x2)", 12: "12 px (x4)", 6: "6 px (x8)"}
BETWEEN = {(16, 2): "16 px, of x2", (16, 4): "16 px, of x4", (10, 4): "10 px, of x4",
           (10, 8): "10 px, of x8", (8, 4): "8 px, of x4", (8, 8): "8 px, of x8"}  # fmt: skip
"""(Size tested, scale trained on) -> head of its column."""

COSTS = {
    "parameters, million": ("parameters", 1e-6, 2),
    "multiply-adds, million": ("macs", 1e-6, 1),
    "training, min": ("train_seconds_with_stages", 1 / 60, 0),
}
"""Head of a column -> column of the leaderboard, factor, digits."""


class Source(NamedTuple):
    """What a table shows: a results folder, and what of it.

    part: "clean_" for its numbers without leaked faces. tested, learned: the protocols.
    seeds: none for all that are there
    """

    folder: Path
    part: str = ""
    tested: str = "bicubic@1"
    learned: str = "bicubic@1"
    dataset: str = "fer2013"
    seeds: tuple[int, ...] = ()

    @property
    def sizes(self) -> dict[int, str]:
        """HR images are the same under every protocol, so one table has them."""
        both = self.tested == "bicubic@1"
        return {size: name for size, name in SIZES.items() if both or size != 48}


TABLES = {
    "method": Source(REFERENCE),
    "without leaked faces": Source(REFERENCE, "clean_"),
    "untuned, on a GPU": Source(REFERENCE_GPU, seeds=(0,)),
    "under `camera`": Source(REFERENCE, tested="camera@1"),
    "learned under `camera`": Source(REFERENCE, tested="camera@1", learned="camera@1"),
    "under `bicubic-noaa`": Source(REFERENCE, tested="bicubic-noaa@1"),
    "under `area`": Source(REFERENCE, tested="area@1"),
    "on FERPlus": Source(REFERENCE, dataset="ferplus"),
    "on FERPlus, without leaked faces": Source(REFERENCE, "clean_", dataset="ferplus"),
}
"""By the first cell of a table's head."""

SHOWN = {
    README: ["method"],
    PAGE: ["method", "without leaked faces"],
    GPU_PAGE: ["untuned, on a GPU"],
    ELSEWHERE: ["under `camera`", "learned under `camera`", "under `bicubic-noaa`", "under `area`"],
    FERPLUS: ["on FERPlus", "on FERPlus, without leaked faces"],
}
"""The tables of each page; the docs quote the report on each of theirs, too."""

TABLE = re.compile(r"^\| ([^|]+) \| (?:48|24) px .*\n(?:\|.*\n)+", re.MULTILINE)
SIZES_TABLE = re.compile(r"^\| between the sizes \|.*\n(?:\|.*\n)+", re.MULTILINE)
DESCRIBED = re.compile(r"^\| `([^`]+)`([^|]*) \|", re.MULTILINE)
COSTS_TABLE = re.compile(r"^\| cost \|.*\n(?:\|.*\n)+", re.MULTILINE)
QUOTES = re.compile(r"(?:^> .*\n)+", re.MULTILINE)
DUEL = re.compile(r"^\| `(?P<a>[^`]+)` \| `(?P<b>[^`]+)` \| (?P<where>[^|]+) \|.*\n", re.MULTILINE)
ASKED = {
    "--datasets": "fer2013",
    "--test-protocols": "bicubic",
    "--scales": "2,4,8",
}
WHERE: dict[str, dict[str, str]] = {
    "here": {},
    "untuned": {"--seeds": "0"},
    "seed 0": {"--seeds": "0"},
    "without leaked faces": {"--clean": ""},
    "under `camera`": {"--protocols": "bicubic", "--test-protocols": "camera"},
    "learned under `camera`": {"--protocols": "camera", "--test-protocols": "camera"},
    "FERPlus": {"--datasets": "ferplus"},
}
"""What a word in the third column changes of the options of `compare`; untuned: another folder."""


def rows_of(folder: Path, dataset: str = "fer2013") -> list[dict[str, str]]:
    """The committed leaderboard.csv; of one data set, or of all by ""."""
    with (folder / "report" / "leaderboard.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if dataset in ("", row["dataset"])]


@cache
def rows_of_seed_0() -> list[dict[str, str]]:
    """The leaderboard of the reference without the seeds that only a part of it has."""
    with tempfile.TemporaryDirectory() as folder:
        report = collect([REFERENCE], Options(Choice(seeds=[0]), pictures="none", page=False))
        write(report, Path(folder))
        with (Path(folder) / "leaderboard.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))


@cache
def choices() -> Mapping[str, Mapping[str, Any]]:
    """What trials chose, by method."""
    return read_settings_file(CHOSEN).settings


def short(row: Mapping[str, str]) -> str:
    """A row's name as one asks for it beside the file of choices: without what it chose."""
    name, said = row["method_name"], json.loads(row["settings"])
    chosen = choices().get(name, {})
    rest = {key: value for key, value in said.items() if chosen.get(key) != value}
    words = (
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in rest.items()
    )
    return f"{name}[{','.join(words)}]" if rest else name


def own(
    rows: list[dict[str, str]], tested: str = "bicubic@1", learned: str = "bicubic@1"
) -> dict[tuple[str, int], dict[str, str]]:
    """What was trained and tested so, by short name and size; the ceiling is under each test.

    Of a method with its defaults and with what trials chose, the latter has the short name.
    """
    return {
        (short(row), int(row["size_px"])): row
        for row in sorted(rows, key=lambda row: float(row["trials"] or 0))
        if _trained(row, tested, learned)
        if int(row["size_px"]) in SIZES
    }


def _trained(row: Mapping[str, str], tested: str, learned: str) -> bool:
    """Whether it was trained and tested so, or rests on nothing trained on LR faces."""
    untouched = row["trained_scales"] == "nothing"
    return row["test_protocol"] == tested and (untouched or row["protocol"] == learned)


def table(head: str, described: Mapping[str, str]) -> str:
    """The table of a head's first cell; described: what stands behind a name."""
    source = TABLES[head]
    found = own(rows_of(source.folder, source.dataset), source.tested, source.learned)
    if 48 not in source.sizes:
        found = {key: row for key, row in found.items() if row["kind"] != "oracle"}

    def place(name: str) -> tuple[bool, float]:
        row = next(row for (own_name, _), row in found.items() if own_name == name)
        return row["kind"] == "oracle", -float(row[f"{source.part}area"] or 0)

    def cell(name: str, size: int) -> str:
        row = found.get((name, size))
        if row is None:
            return "–"
        keys = (f"{source.part}accuracy{end}" for end in ("", "_low", "_high"))
        value, low, high = (f"{100 * float(row[key]):.1f}" for key in keys)
        best = row[f"{source.part}best"] in ("1", "1.0", "True")
        return f"{f'**{value}**' if best else value} [{low}, {high}]"

    names = sorted({name for name, _ in found}, key=place)
    lines = [_head([head, *source.sizes.values()])]
    for name in names:
        cells = " | ".join(cell(name, size) for size in source.sizes)
        lines.append(f"| `{name}`{described.get(name, '')} | {cells} |")
    return "\n".join(lines) + "\n"


def _head(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n{'|---' * len(cells)}|"


def sizes_table() -> str:
    """Accuracies at sizes that nothing was trained on, by the scale that a model was trained on."""
    rows = rows_of(REFERENCE)
    found = {}
    for row in rows:
        if row["test_protocol"] == row["protocol"] == "bicubic@1" and row["kind"] != "oracle":
            trained = row["trained_scales"]
            found[short(row), int(row["size_px"]), trained] = 100 * float(row["accuracy"] or 0)
    names = [name for name, size in own(rows) if size == 12]
    lines = [_head(["between the sizes", *BETWEEN.values()])]

    def at(name: str, size: int, scale: int) -> float:
        every = [key for key in found if key[:2] == (name, size) and not key[2].isdigit()]
        return found[every[0] if every else (name, size, str(scale))]

    for name in sorted(names, key=lambda name: -max(at(name, 10, scale) for scale in (4, 8))):
        cells = " | ".join(f"{at(name, *place):.1f}" for place in BETWEEN)
        lines.append(f"| `{name}` | {cells} |")
    return "\n".join(lines) + "\n"


def costs_table() -> str:
    """What an answer at 12 pixels and a model of x4 cost, in the order of multiply-adds."""
    found = {name: row for (name, size), row in own(rows_of(REFERENCE)).items() if size == 12}
    lines = [_head(["cost", *COSTS])]
    for name in sorted(found, key=lambda name: (float(found[name]["macs"]), name)):
        cells = (
            f"{scale * float(found[name][column] or 0):.{digits}f}"
            for column, scale, digits in COSTS.values()
        )
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def board_of(head: str, seeds: Sequence[int] = ()) -> Board:
    """The board that a table shows; seeds: in place of the table's own."""
    source = TABLES[head]
    choice = Choice(
        datasets=[source.dataset],
        seeds=seeds or source.seeds,
        protocols=[source.learned],
        test_protocols=[source.tested],
    )
    (board,) = collect([source.folder], Options(choice, pictures="none", page=False)).boards
    if source.part:
        assert board.leak_free is not None
        return board.leak_free
    return board


def quote(board: Board) -> str:
    """What the report says of a board, as a quote of Markdown."""
    said = [headline(board), *(answer.sentence for answer in answers(board))]
    return "  \n".join(f"> {sentence}" for sentence in said) + "\n"


def compared(duel: re.Match[str]) -> str:
    """A line of a table of comparisons, as the program has it today."""
    places = duel["where"].split(", ")
    folder = REFERENCE_GPU if "untuned" in places else REFERENCE
    options = dict(ASKED)
    for place in places:
        options |= WHERE[place]
    rows = rows_of(folder, options["--datasets"])
    labels = {short(row): row["method"] for row in own(rows).values()}
    words = [word for pair in options.items() for word in pair if word]
    names = [labels[duel["a"]], labels[duel["b"]]]
    said = in_process.lrfer("compare", *names, *words, "--results", folder, "--json")
    assert said.status == 0, said.err
    found = json.loads(said.out)["rounds"]
    assert [each["scale"] for each in found] == [2, 4, 8]
    cells = " | ".join(_difference(each) for each in found)
    return f"| `{duel['a']}` | `{duel['b']}` | {duel['where']} | {cells} |\n"


def _difference(found: Mapping[str, Any]) -> str:
    """A cell: "**+2.1** [+0.7, +3.5] p 0.008"."""
    value, low, high = (signed(found[name], 1) for name in ("difference", "low", "high"))
    p = f"p {p_text(found['p_corrected'])}"
    return f"{f'**{value}**' if found['better'] else value} [{low}, {high}] {p}"


def written(page: Path) -> str:
    """A page with its tables, quotes and comparisons as the records have them today."""
    quotes = (quote(board_of(head)) for head in SHOWN[page])
    text = page.read_text(encoding="utf-8")
    text = TABLE.sub(lambda old: table(old[1], dict(DESCRIBED.findall(old[0]))), text)
    text = SIZES_TABLE.sub(lambda _: sizes_table(), text)
    text = COSTS_TABLE.sub(lambda _: costs_table(), text)
    text = DUEL.sub(compared, text)
    return QUOTES.sub(lambda _: next(quotes), text)


if __name__ == "__main__":
    for page in SHOWN:
        page.write_text(written(page), encoding="utf-8")
