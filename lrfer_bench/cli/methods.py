"""lrfer-bench methods list|show: the list reads cards only, show imports its method, too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lrfer_bench.cli import completing
from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Group
from lrfer_bench.cli.options import PLUGIN, echo_left_out
from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import left_out, load_plugins
from lrfer_bench.plugins.registry import METHODS, Entry

if TYPE_CHECKING:
    from lrfer_bench.running.portrait import Portrait


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
@JSON
def list_methods(plugins: tuple[Path, ...], as_json: bool) -> None:
    """Every method with one line, and who brought it."""
    load_plugins(plugins)
    broken: dict[str, str] = {}
    entries = [
        (entry, card) for entry in METHODS if (card := _card_or_none(entry, broken)) is not None
    ]
    if as_json:
        echo_json(
            [
                {
                    "name": entry.name,
                    "summary": card.summary,
                    "source": entry.source,
                    "stage": not card.listed,
                    "year": card.year,
                    "title": card.title,
                }
                for entry, card in entries
            ]
        )
        return
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
@click.argument("name", shell_complete=completing.one(completing.methods))
@PLUGIN
@JSON
def show_method(name: str, plugins: tuple[Path, ...], as_json: bool) -> None:
    """The card of a method and what it costs: paper, our reading, settings, stages, BibTeX."""
    load_plugins(plugins)
    entry = METHODS.entry(name)
    card = _card(entry)
    found, trouble = _portrait(entry)
    if as_json:
        code = vars(found) if found else {"trouble": trouble}
        echo_json({"name": entry.name, "source": entry.source, "card": vars(card), **code})
        return
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
    if found:
        _show_settings(name, card, found)
        _show_cost(found)
    else:
        echo(f"\nSettings and cost cannot be told: {trouble}")
    if card.bibtex:
        echo(f"\n{card.bibtex.strip()}")


def _portrait(entry: Entry) -> tuple[Portrait | None, str]:
    """What its code tells, or None with the reason: a card can be read without it."""
    from lrfer_bench.running.portrait import portrait

    try:
        return portrait(entry.name), ""
    except UserError as error:
        return None, str(error)
    except Exception as error:  # an author's __init__ or forward may fail in any way
        return None, f"{type(error).__name__}: {error}"


def _show_settings(name: str, card: MethodCard, found: Portrait) -> None:
    if found.settings:
        echo(f"\nSettings (--set {name}.SETTING=VALUE):")
    for setting in found.settings:
        default = '""' if setting.default == "" else setting.default
        meaning = card.settings.get(setting.name, "")
        text = f"{setting.name} = {default} ({setting.type}){f': {meaning}' if meaning else ''}"
        echo(click.wrap_text(text, 100, "  ", "    "))


def _show_cost(found: Portrait) -> None:
    from lrfer_bench.running import portrait

    for heading, lines in (
        ("Stages", [f"{stage}: {what}" for stage, what in found.stages.items()]),
        (
            f"What a run at scales {','.join(map(str, portrait.SCALES))} trains for it, by preset "
            f"{portrait.PRESET}",
            found.models or ["nothing"],
        ),
        (
            f"To answer for one LR face (HR: grey, {portrait.SIZE[0]} pixels), stages included",
            [
                f"{'HR' if scale == 1 else f'x{scale}'}: {found.parameters[scale] / 1e6:.2f} "
                f"million parameters, {macs / 1e6:.1f} million MACs"
                for scale, macs in found.macs.items()
            ],
        ),
    ):
        if lines:
            echo(f"\n{heading}:")
        for line in lines:
            echo(f"  {line}")


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
