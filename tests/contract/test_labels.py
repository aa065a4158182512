"""Labels of rows: written, read, told apart."""

from __future__ import annotations

import pytest

from lrfer_bench.contract.labels import label_of, parse_label, same_label
from lrfer_bench.planning.settings import split_labels


@pytest.mark.parametrize(
    "settings",
    [{}, {"kd_weight": 0.5}, {"attention": "none", "global_branch": False, "kd_weight": 1}],
)
def test_a_label_can_be_read_again(settings: dict[str, object]) -> None:
    name, read = parse_label(label_of("gmenet", settings))
    assert name == "gmenet" and list(read) == sorted(settings)
    assert split_labels(f"direct, {label_of('gmenet', settings)} ,oracle") == [
        "direct",
        label_of("gmenet", settings),
        "oracle",
    ]


def test_one_row_under_several_spellings() -> None:
    assert same_label("m[a=1,b=True]", "m[b=true,a=1.0]")
    for other in ("m", "m[a=1]", "m[a=1,b=false]", "n[a=1,b=true]", "m[a=1,b"):
        assert not same_label("m[a=1,b=true]", other)
