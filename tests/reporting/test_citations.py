"""Cards and BibTeX, without importing a method."""

import re

import pytest

from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.reporting import citations


def test_entries_come_once_and_in_order():
    cards = {
        "b": MethodCard("b", bibtex="@article{x,\n title={X}}"),
        "a": MethodCard("a", bibtex="@misc{y, title={Y}}\n\n@article{x, title={X}}"),
        "c": MethodCard("c"),
    }
    assert citations.bibtex(cards) == "@article{x,\n title={X}}\n\n@misc{y, title={Y}}\n"
    assert citations.bibtex({}) == ""


def test_an_address_with_an_at_sign_is_no_entry():
    assert citations.split_entries("@misc{a, note={mail me@home.org}}") == [
        "@misc{a, note={mail me@home.org}}"
    ]


def test_a_method_that_is_not_installed_has_no_card():
    assert citations.method_cards(["no-such-method"]) == {}
    assert citations.dataset_cards(["no-such-set"]) == {}


@pytest.mark.parametrize("name", METHODS.names())
def test_authors_of_papers_have_their_full_names(name):
    """The same names in the card and its first BibTeX entry; no initial, no "and others"."""
    card = card_of(METHODS.entry(name), MethodCard)
    entries = citations.split_entries(card.bibtex)
    for entry in entries:
        (field,) = re.findall(r"author\s*=\s*{(.*?)},?\n", entry)
        for person in field.split(" and "):
            last, comma, first = person.partition(", ")
            assert comma and last and not re.fullmatch(r"(\w\.[ -]?)+", first), person
    if card.authors:
        field = re.findall(r"author\s*=\s*{(.*?)},?\n", entries[0])[0]
        named = [" ".join(reversed(person.split(", "))) for person in field.split(" and ")]
        assert ", ".join(named) == card.authors
