"""Cards of the methods in a report, and the BibTeX of all in its tables; imports no method."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lrfer_bench.contract.cards import DatasetCard, MethodCard, card_path, read_card
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import DATASETS, METHODS, Registry
from lrfer_bench.reporting.frame import Result
from lrfer_bench.store.schema import CardPart


def method_cards(results: Sequence[Result]) -> dict[str, MethodCard]:
    """Cards of the methods of records, by name.

    What is installed here says it itself. Of any other method its records do: the card of the
    first record, by their names, that has one. A method without a card is left out.
    """
    brought: dict[str, CardPart | None] = {result.method_name: None for result in results}
    with_card = [result for result in results if result.record.method.card]
    for result in sorted(with_card, key=lambda result: result.record.stem, reverse=True):
        brought[result.method_name] = result.record.method.card
    found = {
        name: _card(METHODS, name, MethodCard) or (_from_record(card) if card else None)
        for name, card in sorted(brought.items())
    }
    return {name: card for name, card in found.items() if isinstance(card, MethodCard)}


def _from_record(card: CardPart) -> MethodCard:
    return MethodCard(
        card.summary, card.title, card.authors, card.year, card.url, card.bibtex,
        tuple(card.stated), tuple(card.ours),
    )  # fmt: skip


def dataset_cards(names: Iterable[str]) -> dict[str, DatasetCard]:
    """Cards by data set name, in the same way."""
    found = {name: _card(DATASETS, name, DatasetCard) for name in sorted(set(names))}
    return {name: card for name, card in found.items() if isinstance(card, DatasetCard)}


def _card(
    registry: Registry, name: str, kind: type[MethodCard] | type[DatasetCard]
) -> MethodCard | DatasetCard | None:
    try:
        path = card_path(registry.entry(name).module, name)
        return read_card(path, kind) if path else None
    except UserError:
        return None


def bibtex(cards: Mapping[str, MethodCard | DatasetCard]) -> str:
    """All BibTeX entries, each once, in the order of the names; "" when no card has one."""
    seen: dict[str, str] = {}
    for card in cards.values():
        for entry in split_entries(card.bibtex):
            seen.setdefault(re.sub(r"\s+", " ", entry).lower(), entry)
    return "\n\n".join(seen.values()) + ("\n" if seen else "")


def split_entries(text: str) -> list[str]:
    """The @entries of a BibTeX text.

    >>> len(split_entries("@book{a, title={A}} @book{b, title={B}}"))
    2
    """
    return [
        part.strip() for part in re.split(r"(?=@\w+\s*\{)", text) if part.strip().startswith("@")
    ]
