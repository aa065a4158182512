"""`lrfer-bench datasets list|show|prepare|verify|render`."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrfer_bench.cli import completing
from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Group
from lrfer_bench.cli.options import PLUGIN, echo_left_out
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.cli.preparing import prepare_shown
from lrfer_bench.contract.cards import DatasetCard, card_of, card_path, read_card
from lrfer_bench.plugins.loading import left_out, load_plugins
from lrfer_bench.plugins.registry import DATASETS, Entry

if TYPE_CHECKING:
    pass

RENDER = "lrfer_bench.cli.render"


class _Group(Group):
    """Adds `render` without importing it before it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *(["render"] if find_spec(RENDER) else [])])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "render" and find_spec(RENDER):
            return import_module(RENDER).render
        return super().get_command(ctx, cmd_name)


@click.group(
    "datasets",
    cls=_Group,
    examples=(
        "lrfer-bench datasets list",
        "lrfer-bench datasets verify fer2013 --data-root ~/fer2013",
    ),
)
def datasets() -> None:
    """See, prepare and check data sets."""


def _where(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which data set, from where and into which cache."""
    for decorate in (
        click.option("--cache", type=UserPath(file_okay=False),
                     help="Where it is prepared.  [default: $LRFER_CACHE or ~/.cache/lrfer-bench]"),
        click.option("--data-option", "options", multiple=True, metavar="NAME=VALUE",
                     help="Its options are listed by datasets show."),
        click.option("--data-root", type=UserPath(), help="Your copy: its folder, "
                                                                          "or the file itself."),
        PLUGIN,
        click.argument("name", shell_complete=completing.one(completing.datasets)),
    ):  # fmt: skip
        command = decorate(command)
    return command


@datasets.command(
    "list",
    examples=(
        "lrfer-bench datasets list",
        "lrfer-bench datasets list --plugin my_idea.py",
    ),
)
@PLUGIN
@JSON
def list_(plugins: tuple[Path, ...], as_json: bool) -> None:
    """List the data sets, built in and of plugins."""
    load_plugins(plugins)
    entries = list(DATASETS)
    width = max((len(entry.name) for entry in entries), default=0)
    cards = [(entry, _card(entry)) for entry in entries]
    if as_json:
        echo_json(
            [
                {
                    "name": entry.name,
                    "summary": card.summary if card else "",
                    "source": entry.source,
                }
                for entry, card in cards
            ]
        )
        return
    for entry, card in cards:
        summary = card.summary if card else "(its card is in its code: datasets show loads it)"
        own = "" if entry.source.startswith("lrfer-bench ") else f" [{entry.source}]"
        echo(f"{entry.name:<{width}}  {summary}{own}")
    echo_left_out(left_out())


@datasets.command(
    "show",
    examples=(
        "lrfer-bench datasets show fer2013",
        "lrfer-bench datasets show rafdb",
    ),
)
@click.argument("name", shell_complete=completing.one(completing.datasets))
@PLUGIN
@JSON
def show(name: str, plugins: tuple[Path, ...], as_json: bool) -> None:
    """Show a data set's card: what it is, where to get it, the layout its files must have."""
    load_plugins(plugins)
    entry = DATASETS.entry(name)
    card = _card(entry) or entry.load().card
    if as_json:
        echo_json({"name": name, "source": entry.source, **vars(card)})
        return
    echo(f"{name}: {card.summary}\n")
    facts = {
        "title": card.title,
        "get it at": card.url,
        "licence": card.licence,
        "comes from": entry.source,
        "classes": ", ".join(card.classes),
        "size": card.size,
        "splits": card.splits,
        "fingerprint": card.fingerprint or "none stated",
    }
    for label, text in facts.items():
        if text:
            echo(f"{label + ':':<13}{text}")
    _show_blocks(card)


@datasets.command(
    "prepare",
    examples=(
        "lrfer-bench datasets prepare fer2013 --data-root ~/fer2013",
        "lrfer-bench datasets prepare folder --data-root faces --data-option size=48",
    ),
)
@_where
@JSON
def prepare(
    name: str,
    plugins: tuple[Path, ...],
    data_root: Path | None,
    options: tuple[str, ...],
    cache: Path | None,
    as_json: bool,
) -> None:
    """Read a data set once, check it and put it into the cache."""
    load_plugins(plugins)
    prepared = prepare_shown(name, data_root, options, cache)
    facts, found = prepared.faces.describe(), prepared.audit
    if as_json:
        about = {"fingerprint": prepared.fingerprint, "directory": prepared.directory}
        echo_json({"name": name, **facts, **about, "notes": prepared.faces.notes, "audit": found})
        return
    counts = ", ".join(f"{split} {count:,}" for split, count in facts["counts"].items())
    height, width = facts["size"]
    kind = "grey" if facts["channels"] == 1 else "colour"
    echo(
        f"{name}: {counts} images of {width} x {height} pixels, {kind}, {len(facts['classes'])} "
        "classes"
    )
    echo(f"fingerprint: {prepared.fingerprint}")
    echo(f"prepared in: {prepared.directory}")
    for note in prepared.faces.notes:
        echo(f"note: {note}")
    for split, count in found["leaked"].items():
        if count:
            whole = facts["counts"][split]
            echo(
                f"leak: {count:,} of the {whole:,} {split} images also stand, pixel for pixel, in "
                "train"
            )


@datasets.command(
    "verify",
    examples=(
        "lrfer-bench datasets verify fer2013 --data-root ~/fer2013",
        "lrfer-bench datasets verify folder --data-root faces --json",
    ),
)
@_where
@click.option("--near/--no-near", default=True, help="Look for near copies across splits too.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print everything as JSON, with the rows behind the counts.",
)
@click.pass_context
def verify(
    ctx: click.Context,
    name: str,
    plugins: tuple[Path, ...],
    data_root: Path | None,
    options: tuple[str, ...],
    cache: Path | None,
    near: bool,
    as_json: bool,
) -> None:
    """Read a data set's files anew, compare it with its card and audit it.

    Exit status 1 when it differs from the card.
    """
    load_plugins(plugins)
    prepared = prepare_shown(name, data_root, options, cache, anew=True)
    from lrfer_bench.cli.verified import show_verification
    from lrfer_bench.data.verify import verify as compare

    entry = DATASETS.entry(name)
    result = compare(prepared, card_of(entry, DatasetCard), near=near)
    if as_json:
        echo(json.dumps(result.to_json(), indent=1))
    else:
        show_verification(name, result)
    ctx.exit(0 if result.ok else 1)


def _card(entry: Entry) -> DatasetCard | None:
    """The card beside the code, or of a class that is loaded already; never imports a data set."""
    if entry.loaded is not None:
        return card_of(entry, DatasetCard)
    path = card_path(entry.module, entry.name)
    return read_card(path, DatasetCard) if path else None


def _show_blocks(card: DatasetCard) -> None:
    if card.layout:
        echo(
            "\nfiles under --data-root:\n"
            + "\n".join(f"  {line}" for line in card.layout.splitlines())
        )
    if card.counts:
        echo("\nimages:")
        width = max(map(len, card.classes), default=5)
        echo("  " + " " * width + "".join(f"{split:>9}" for split in card.counts))
        for index, label in enumerate(card.classes):
            counts = [card.class_counts.get(split, [])[index : index + 1] for split in card.counts]
            echo(
                f"  {label:<{width}}"
                + "".join(f"{count[0]:>9,}" if count else f"{'-':>9}" for count in counts)
            )
        echo(f"  {'all':<{width}}" + "".join(f"{count:>9,}" for count in card.counts.values()))
    for form, stated in card.other_counts.items():
        echo(f"  or {' / '.join(f'{count:,}' for count in stated)}: {form}")
    for title, lines in (
        (
            "options (--data-option NAME=VALUE)",
            [f"{name}: {text}" for name, text in card.options.items()],
        ),
        ("notes", list(card.notes)),
    ):
        if lines:
            echo(f"\n{title}:\n" + "\n".join(f"  {line}" for line in lines))
    if card.bibtex:
        echo(f"\n{card.bibtex.strip()}")
