"""Looks of methods, and colours that everybody can read."""

from __future__ import annotations

import colorsys
import re
from itertools import pairwise

import pytest
from contrasts import ratio, rgb
from folders import ROOT

from lrfer_bench.contract.cards import MethodCard, read_card
from lrfer_bench.reporting.palette import COLOURS, looks, near

CSS = (ROOT / "lrfer_bench" / "reporting" / "templates" / "page.css").read_text()
CARDS = {
    path.name.removesuffix(".card.toml"): read_card(path, MethodCard)
    for path in sorted((ROOT / "methods").glob("*.card.toml"))
}


def contrast(a, b):
    return ratio(rgb(a), rgb(b))


def variables(theme):
    start = ':root[data-theme="dark"] {' if theme else ":root {"
    block = CSS[CSS.index(start) :].split("}")[0]
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_texts_have_four_and_a_half_to_one_and_marks_three(theme):
    page = variables(theme)
    for ground in ("back", "panel"):
        for text in ("text", "soft", "accent", "warn", "sure"):
            assert contrast(page[text], page[ground]) >= 4.5, (text, ground)
        for mark in ("bar", "mark"):
            assert contrast(page[mark], page[ground]) >= 3, (mark, ground)
        for pair in COLOURS:
            assert contrast(pair[theme], page[ground]) >= 3, (pair, ground)
    assert contrast(page["warn"], page["back"]) >= 4.5, "the badge"


def hue(colour):
    return 360 * colorsys.rgb_to_hsv(*(part / 255 for part in rgb(colour)))[0]


def test_near_says_what_the_hues_say():
    for a, (one, _) in enumerate(COLOURS):
        for b, (other, _) in enumerate(COLOURS):
            apart = abs(hue(one) - hue(other)) % 360
            assert near(a, b) == (min(apart, 360 - apart) < 60), (one, other)


def test_no_two_of_one_hue_follow_each_other():
    fixed = {"own": 3}
    names = ["a", "own", "b", "c", "d", "e", "f"]
    slots = [colour for colour, _ in COLOURS]
    places = [slots.index(look.colour) for look in looks(names, fixed).values()]
    order = [places[list(looks(names, fixed)).index(name)] for name in names]
    assert not any(near(a, b) for a, b in pairwise(order))
    built_in = sorted(card.look for card in CARDS.values() if card.look is not None)
    assert not any(near(a, b) for a, b in pairwise(built_in))


def test_built_in_methods_have_fixed_looks_of_their_own():
    shown = {name: card.look for name, card in CARDS.items() if card.listed and name != "oracle"}
    assert None not in shown.values() and len(set(shown.values())) == len(shown)
    alone = looks(["srfer"], shown)["srfer"]
    crowd = looks(["mine", "other", *sorted(shown)], shown)
    assert crowd["srfer"] == alone, "whoever stands beside it"
    assert alone.colour == "#0B62B0" and alone.dash == ()
    assert len({(look.colour, look.dash) for look in crowd.values()}) == len(crowd)


def test_the_others_go_by_rank():
    assert looks(["b", "a"])["b"] == looks(["c"])["c"], "the first has the first look"
    assert len(set(looks([f"m{k}" for k in range(20)]).values())) == 20
