"""`lrfer-bench datasets list|show|prepare|verify|render`."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lrfer_bench.cli import completing
from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Group
from lrfer_bench.cli.options import PLUGIN, echo_left_out
from lrfer_bench.cli.preparing import prepare_shown
from lrfer_bench.contract.cards import DatasetCard, card_path, read_card
from lrfer_bench.errors import escaped
from lrfer_bench.plugins.loading import left_out, load_plugins
from lrfer_bench.plugins.registry import DATASETS, Entry

if TYPE_CHECKING:
    from rich.table import Table

    from lrfer_bench.data.verify import Verification

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
        click.option("--cache", type=click.Path(path_type=Path, file_okay=False),
                     help="Where it is prepared.  [default: $LRFER_CACHE or ~/.cache/lrfer-bench]"),
        click.option("--data-option", "options", multiple=True, metavar="NAME=VALUE",
                     help="Its options are listed by datasets show."),
        click.option("--data-root", type=click.Path(path_type=Path), help="Your copy: its folder, "
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
    from lrfer_bench.data.verify import verify as compare

    entry = DATASETS.entry(name)
    result = compare(prepared, _card(entry) or entry.load().card, near=near)
    if as_json:
        echo(json.dumps(result.to_json(), indent=1))
    else:
        _print(name, result)
    ctx.exit(0 if result.ok else 1)


def _card(entry: Entry) -> DatasetCard | None:
    """The card beside the code, or of a class that is loaded already; never imports a data set."""
    if entry.loaded is not None:
        return entry.loaded.card
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


def _print(name: str, result: Verification) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_checks_table(name, result))
    if not result.states_counts:
        console.print(
            f'The card of "{name}" states no counts and no fingerprint: copies differ by nature.'
        )
    console.print(_audit_table(result))
    if result.audit.near is not None:
        from lrfer_bench.data.near import NEAR_FULL

        console.print(
            f"near copies: grey images, as they are or mirrored, that correlate by {NEAR_FULL} or "
            "more"
        )
    for note in result.prepared.faces.notes:
        console.print(escaped(f"note: {note}"), markup=False)
    console.print(f"prepared in: {result.prepared.directory}", markup=False, soft_wrap=True)
    wrong = [check.what for check in result.checks if not check.ok]
    if wrong:
        console.print(
            f'[bold red]"{name}" differs from its card in {len(wrong)} points: '
            f"{', '.join(wrong)}[/]"
        )
    else:
        console.print(f'[bold green]"{name}" is what its card says[/]')


def _checks_table(name: str, result: Verification) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{escape(name)} against its card", title_justify="left")
    for column in ("what", "right", "found", ""):
        table.add_column(column, overflow="fold")
    for check in result.checks:
        verdict = "[green]ok[/]" if check.ok else "[red]differs[/]"
        table.add_row(
            check.what, escape(_short(check.expected)), escape(_short(check.found)), verdict
        )
    return table


def _short(text: str) -> str:
    """A fingerprint by its head; the whole one is in --json and in the card."""
    text = escaped(text)
    is_hash = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return f"{text[:16]}..." if is_hash else text


def _audit_table(result: Verification) -> Table:
    from rich.table import Table

    summary: dict[str, Any] = result.audit.summary()
    table = Table(title="audit", title_justify="left")
    for column in ("", "train", "val", "test", "all"):
        table.add_column(column, justify="left" if not column else "right")

    def row(label: str, counts: dict[str, int], total: int | None = None) -> None:
        cells = [
            f"{counts[split]:,}" if split in counts else "" for split in ("train", "val", "test")
        ]
        table.add_row(label, *cells, f"{sum(counts.values()) if total is None else total:,}")

    row("images", result.audit.counts)
    row("also in train, pixel for pixel", summary["leaked"])
    row("also in val, pixel for pixel", {"test": summary["test_in_val"]})
    row(
        "extra identical copies (in each split, over all)",
        summary["extra_copies_within"],
        summary["extra_copies"],
    )
    table.add_row("groups of identical images", "", "", "", f"{summary['duplicate_groups']:,}")
    table.add_row(
        "such groups with conflicting labels", "", "", "", f"{summary['conflicting_groups']:,}"
    )
    if summary["near"] is not None:
        row(
            "near copies of an earlier split's image",
            {split: summary["near"][split] for split in ("val", "test")},
        )
    row("blank (one grey value)", summary["blank"])
    row("near-constant", summary["near_constant"])
    return table
