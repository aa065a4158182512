"""Cards and BibTeX, without importing a method."""

from lrfer_bench.contract.cards import MethodCard
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
