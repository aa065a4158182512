"""The tables, quotes and comparisons of README and of the pages of results, from records.

    python tests/support/published.py    writes them into the pages anew, after `lrfer-bench report`

Sentences around them are written by hand; tests/docs holds their numbers.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import in_process
from folders import REFERENCE, REFERENCE_GPU, ROOT

from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.reporting.boards import Board
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.words import answers, headline

README = ROOT / "README.md"
PAGE = ROOT / "docs" / "results.md"
GPU_PAGE = ROOT / "docs" / "results-gpu.md"
ELSEWHERE = ROOT / "docs" / "results-elsewhere.md"
CHOSEN = ROOT / "results" / "reference-tuning" / "tuning" / "settings.toml"
SIZES = {48: "48 px (HR)", 24: "24 px (x2)", 12: "12 px (x4)", 6: "6 px (x8)"}
BETWEEN = {(16, 2): "16 px, of x2", (16, 4): "16 px, of x4", (10, 4): "10 px, of x4",
           (10, 8): "10 px, of x8", (8, 4): "8 px, of x4", (8, 8): "8 px, of x8"}  # fmt: skip
"""(Size tested, scale trained on) -> head of its column."""


class Source(NamedTuple):
    """What a table shows: a results folder, and what of it.

    part: "clean_" for its numbers without leaked faces. tested: the test protocol
    """

    folder: Path
    part: str = ""
    tested: str = "bicubic@1"

    @property
    def sizes(self) -> dict[int, str]:
        """HR images are the same under every protocol, so one table has them."""
        both = self.tested == "bicubic@1"
        return {size: name for size, name in SIZES.items() if both or size != 48}


TABLES = {
    "method": Source(REFERENCE),
    "without leaked faces": Source(REFERENCE, "clean_"),
    "untuned, on a GPU": Source(REFERENCE_GPU),
    "under `camera`": Source(REFERENCE, tested="camera@1"),
    "under `bicubic-noaa`": Source(REFERENCE, tested="bicubic-noaa@1"),
    "under `area`": Source(REFERENCE, tested="area@1"),
}
"""By the first cell of a table's head."""

SHOWN = {
    README: ["method"],
    PAGE: ["method", "without leaked faces"],
    GPU_PAGE: ["untuned, on a GPU"],
    ELSEWHERE: ["under `camera`", "under `bicubic-noaa`", "under `area`"],
}
"""The tables of each page; the docs quote the report on each of theirs, too."""

TABLE = re.compile(r"^\| ([^|]+) \| (?:48|24) px .*\n(?:\|.*\n)+", re.MULTILINE)
SIZES_TABLE = re.compile(r"^\| between the sizes \|.*\n(?:\|.*\n)+", re.MULTILINE)
DESCRIBED = re.compile(r"^\| `([^`]+)`([^|]*) \|", re.MULTILINE)
QUOTES = re.compile(r"(?:^> .*\n)+", re.MULTILINE)
COMPARED = re.compile(
    r"^    lrfer-bench (?P<words>compare \S+ \S+(?: --clean)?(?: --protocols \w+)? "
    r"--test-protocols \w+ --seeds 0 --scales 2,4,8) --results (?P<folder>\S+)\n\n"
    r"(?P<lines>(?:    x.*\n)+)",
    re.MULTILINE,
)
LINE = re.compile(r"^  (x\d)   (\S+ points \[.*?\])  p .*?, corrected (.*?) \(", re.MULTILINE)


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The committed leaderboard.csv."""
    with (folder / "report" / "leaderboard.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def short(row: Mapping[str, str]) -> str:
    """A row's name as one asks for it beside the file of choices: without what it chose."""
    name, said = row["method_name"], json.loads(row["settings"])
    chosen = read_settings_file(CHOSEN).settings.get(name, {})
    rest = {key: value for key, value in said.items() if chosen.get(key) != value}
    words = (
        f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in rest.items()
    )
    return f"{name}[{','.join(words)}]" if rest else name


def own(
    rows: list[dict[str, str]], tested: str = "bicubic@1"
) -> dict[tuple[str, int], dict[str, str]]:
    """What was trained on bicubic, by short name and size; and the ceiling.

    Of a method with its defaults and with what trials chose, the latter has the short name.
    """
    return {
        (short(row), int(row["size_px"])): row
        for row in sorted(rows, key=lambda row: float(row["trials"] or 0))
        if row["kind"] == "oracle" or _trained_on_bicubic(row, tested)
        if int(row["size_px"]) in SIZES
    }


def _trained_on_bicubic(row: Mapping[str, str], tested: str) -> bool:
    """Whether it is of the reference models, or rests on nothing trained on LR faces."""
    untouched = row["trained_scales"] == "nothing"
    return row["test_protocol"] == tested and (untouched or row["protocol"] == "bicubic@1")


def table(head: str, described: Mapping[str, str]) -> str:
    """The table of a head's first cell; described: what stands behind a name."""
    source = TABLES[head]
    found = own(rows_of(source.folder), source.tested)
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


def board_of(head: str) -> Board:
    """The board that a table shows."""
    source = TABLES[head]
    choice = Choice(seeds=[0], protocols=["bicubic"], test_protocols=[source.tested])
    (board,) = collect([source.folder], Options(choice, pictures="none", page=False)).boards
    if source.part:
        assert board.leak_free is not None
        return board.leak_free
    return board


def quote(board: Board) -> str:
    """What the report says of a board, as a quote of Markdown."""
    said = [headline(board), *(answer.sentence for answer in answers(board))]
    return "  \n".join(f"> {sentence}" for sentence in said) + "\n"


def compared(block: re.Match[str]) -> str:
    """The lines under a command of the page, as the program prints them today."""
    words = [word.strip('"') for word in block["words"].split()]
    said = in_process.lrfer(*words, "--results", ROOT / block["folder"])
    assert said.status == 0, said.err
    return "".join(
        f"    {scale}   {points}  corrected p {p}\n" for scale, points, p in LINE.findall(said.out)
    )


def written(page: Path) -> str:
    """A page with its tables, quotes and comparisons as the records have them today."""
    quotes = (quote(board_of(head)) for head in SHOWN[page])

    def new_table(old: re.Match[str]) -> str:
        return table(old[1], dict(DESCRIBED.findall(old[0])))

    def new_lines(old: re.Match[str]) -> str:
        return old[0].replace(old["lines"], compared(old))

    text = COMPARED.sub(new_lines, TABLE.sub(new_table, page.read_text(encoding="utf-8")))
    text = SIZES_TABLE.sub(lambda _: sizes_table(), text)
    return QUOTES.sub(lambda old: next(quotes), text)


if __name__ == "__main__":
    for page in SHOWN:
        page.write_text(written(page), encoding="utf-8")
