"""lrfer-bench methods list|show: cards only, no method is imported."""

from __future__ import annotations

from pathlib import Path

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Group
from lrfer_bench.cli.options import PLUGIN, echo_left_out
from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import left_out, load_plugins
from lrfer_bench.plugins.registry import METHODS, Entry


@click.group(
    cls=Group,
    examples=(
        "lrfer-bench methods list",
        "lrfer-bench methods show gmenet",
    ),
)
def methods() -> None:
    """List the methods, show one."""


@methods.command(
    "list",
    examples=(
        "lrfer-bench methods list",
        "lrfer-bench methods list --plugin my_idea.py",
    ),
)
@PLUGIN
def list_methods(plugins: tuple[Path, ...]) -> None:
    """Every method with one line, and who brought it."""
    load_plugins(plugins)
    broken: dict[str, str] = {}
    entries = [
        (entry, card) for entry in METHODS if (card := _card_or_none(entry, broken)) is not None
    ]
    width = max((len(entry.name) for entry, _ in entries), default=0)
    for entry, card in entries:
        if card.listed:
            echo(f"{entry.name:<{width}}  {card.summary}  [{entry.source}]")
    stages = [entry.name for entry, card in entries if not card.listed]
    if stages:
        echo(f"Stages that they share: {', '.join(stages)}")
    echo_left_out({**left_out(), **broken})


@methods.command(
    "show",
    examples=(
        "lrfer-bench methods show gmenet",
        "lrfer-bench methods show my-idea --plugin my_idea.py",
    ),
)
@click.argument("name")
@PLUGIN
def show_method(name: str, plugins: tuple[Path, ...]) -> None:
    """The card of a method: what the paper states, what is our reading, settings, BibTeX."""
    load_plugins(plugins)
    entry = METHODS.entry(name)
    card = _card(entry)
    echo(f"{name}: {card.summary}\nfrom {entry.source} ({entry.target})")
    for label, value in (
        ("title", card.title),
        ("authors", card.authors),
        ("year", card.year),
        ("address", card.url),
    ):
        if value:
            echo(f"{label}: {value}")
    for heading, lines in (("Stated by the paper or its code", card.stated), ("Ours", card.ours)):
        if lines:
            echo(f"\n{heading}:")
            for line in lines:
                echo(click.wrap_text(line, 100, "  - ", "    "))
    if card.settings:
        echo(f"\nSettings (--set {name}.SETTING=VALUE):")
        for setting, meaning in card.settings.items():
            echo(click.wrap_text(f"{setting}: {meaning}", 100, "  ", "    "))
    if card.bibtex:
        echo(f"\n{card.bibtex.strip()}")


def _card(entry: Entry) -> MethodCard:
    return card_of(entry, MethodCard)


def _card_or_none(entry: Entry, broken: dict[str, str]) -> MethodCard | None:
    """The card of a method, or None with the reason in `broken` where it cannot be imported.

    So one broken method takes no other off the list.
    """
    try:
        return _card(entry)
    except UserError as error:
        broken[entry.name] = str(error)
        return None
