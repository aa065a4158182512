"""Cards and BibTeX, without importing a method."""

import re

import numpy as np
import pytest
from in_process import lrfer
from made_records import make_record

import lrfer_bench
from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.reporting import citations
from lrfer_bench.reporting.frame import Result
from lrfer_bench.running.records import card_part
from lrfer_bench.store.schema import MOST_TEXT, CardPart, Record
from lrfer_bench.store.store import Store


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


def result(**fields):
    """A result whose store is not asked for anything."""
    return Result(make_record(**fields), Store("nowhere"))


def test_a_method_that_is_not_installed_has_no_card():
    assert citations.method_cards([result(method="no-such-method", failure="it was told to")]) == {}
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


def test_a_plugins_card_travels_with_its_records(lrfer, trained, tmp_path):
    """A report where the plugin is not loaded shows its paper; built-in methods bring no card."""
    done = lrfer("report", "--results", trained, "--out", tmp_path, "--citations",
                 "--pictures", "none", "--resamples", 0)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "lovelace1843lines" in (tmp_path / "citations.bib").read_text()
    page = (tmp_path / "index.html").read_text()
    assert "Lines in Tiny Faces" in page and "https://example.org/lines" in page
    methods = [found.method for found in Store(trained).scan() if isinstance(found, Record)]
    cards = {method.name: method.card for method in methods}
    assert cards["enlarge"] is None
    assert cards["linear"].authors == "Ada Lovelace" and cards["linear"].ours == ["its rate"]
    assert cards["raises"].summary == "Raises in its loss.", "without a card: its docstring"


def test_a_card_that_is_too_long_for_a_record_is_cut():
    """A record stays readable whatever its author writes; an odd address is left out."""
    card = MethodCard("s" * 9000, year=-5, url="javascript:alert(1)", ours=("\x1b[2J",) * 99)
    kept = card_part(card)
    assert len(kept.summary) == MOST_TEXT and kept.year is None and kept.url == ""
    assert kept.ours == ["\\x1b[2J"] * 50


def test_a_record_cannot_change_the_card_of_a_method_that_is_here():
    """A stranger's record of `direct` may say anything; its paper stays that of the method."""
    found = result(method="direct", failure="it was told to")
    stranger = CardPart(summary="mine", title="Not the paper", bibtex="@misc{not, title={Not}}")
    found.record.method.card = stranger
    card = citations.method_cards([found])["direct"]
    assert card.title != "Not the paper" and card.summary != "mine"


def test_an_older_record_without_a_card_does_not_hide_it():
    old, new = (result(method="gone", failure="it was told to", seed=seed) for seed in (0, 1))
    new.record.method.card = CardPart(summary="it had a paper")
    for order in ([old, new], [new, old]):
        assert citations.method_cards(order)["gone"].summary == "it had a paper"


@pytest.mark.parametrize("wrong", [None, 5, {"a", "b"}])
def test_a_card_of_wrong_types_stops_no_record(wrong):
    kept = card_part(MethodCard("x", stated=wrong, ours="one line, no tuple"))
    assert kept.stated == [] and kept.ours == ["one line, no tuple"]


def test_bibtex_is_cut_between_entries():
    entry = "@misc{a, note={" + "x" * 3000 + "}}\n"
    kept = card_part(MethodCard("x", bibtex=entry * 2))
    assert kept.bibtex.count("@misc") == 1 and kept.bibtex.endswith("}}")


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "leaderboard.csv",
        "leaderboard.tex",
        "citations.bib",
        "curves.png",
        "pareto-macs.svg",
    ],
)
def test_files_of_somebody_s_are_not_overwritten(factory, tmp_path, name):
    """Such as the folder of a paper; a report's own folder is written again, done or not."""
    results, paper = tmp_path / "results", tmp_path / "paper"
    factory.save(results, np.ones(40, bool), np.arange(40) % 7)
    paper.mkdir()
    (paper / name).write_text("mine")
    words = ["report", "--results", results, "--citations", "--out", paper, "--pictures", "none"]
    said = lrfer(*words, "--resamples", 0)
    assert said.status == 2 and f"{paper / name} was not made by a report" in said.err
    with pytest.raises(UserError, match="nothing of yours is overwritten"):
        lrfer_bench.report(results, paper, pictures="none")
    assert [path.read_text() for path in paper.iterdir()] == ["mine"]

    (paper / name).unlink()
    assert lrfer(*words, "--resamples", 0).status == 0
    (paper / "index.html").unlink()  # as after Ctrl-C, and with page=False
    assert lrfer(*words, "--resamples", 0).status == 0
