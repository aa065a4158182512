"""Labels of rows: written, read, told apart."""

from __future__ import annotations

import json

import pytest

from lrfer_bench.contract.labels import label_of, parse_label, same_label
from lrfer_bench.errors import UserError
from lrfer_bench.planning.settings import split_labels


@pytest.mark.parametrize(
    "settings",
    [{}, {"kd_weight": 0.5}, {"attention": "none", "global_branch": False, "kd_weight": 1},
     {"kd_weight": 1, "sizes": [[4, 8], [2]], "words": ["a,b", "c=d"]}],
)  # fmt: skip
def test_a_label_can_be_read_again(settings: dict[str, object]) -> None:
    name, read = parse_label(label_of("gmenet", settings))
    assert name == "gmenet" and list(read) == sorted(settings)
    lists = {k: v for k, v in settings.items() if isinstance(v, list)}
    assert {k: json.loads(read[k]) for k in lists} == lists
    assert split_labels(f"direct, {label_of('gmenet', settings)} ,oracle") == [
        "direct",
        label_of("gmenet", settings),
        "oracle",
    ]


def test_brackets_and_commas_in_texts_of_a_list_are_their_own() -> None:
    for value in ('["["]', '["a]]","b"]', '{"]": ["[", 1]}', '["a\\"]", "b"]'):
        label = f"mine[a=1,marks={value},z=2]"
        assert split_labels(f"{label},direct") == [label, "direct"]
        assert parse_label(label)[1]["marks"] == value
    assert split_labels("m[a=[1,b],n") == ["m[a=[1,b],n"]  # no JSON: brackets count as ever


def test_one_row_under_several_spellings() -> None:
    assert same_label("m[a=1,b=True]", "m[b=true,a=1.0]")
    assert same_label("m[a=[4, 4],b=1]", "m[b=1,a=[4.0,4]]") and not same_label("m[a=[4]]", "m")
    for other in ("m", "m[a=1]", "m[a=1,b=false]", "n[a=1,b=true]", "m[a=1,b"):
        assert not same_label("m[a=1,b=true]", other)


@pytest.mark.parametrize(
    ("value", "read"), [("[a", "[a"), ("[1]/x.pth", "[1]/x.pth"), ("[" * 9999, "[" * 9999)]
)
def test_a_value_that_only_looks_like_a_list_is_a_word(value: str, read: str) -> None:
    assert parse_label(f"m[weights={value},b=2]") == ("m", {"weights": read, "b": "2"})


def test_a_setting_is_given_once() -> None:
    with pytest.raises(UserError, match=r'"direct\[epochs=2x, epochs=3x\]" has epochs twice'):
        parse_label("direct[epochs=2x, epochs=3x]")
