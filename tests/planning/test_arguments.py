"""Arguments from Python: what has the right meaning is brought to one form."""

from __future__ import annotations

import numpy as np

from lrfer_bench.planning.arguments import Arguments, Integers, as_list


def test_integers_of_any_kind_are_plain_ones() -> None:
    class Only(Arguments):
        scales: Integers

    for value in (
        "2, 4",
        (2, 4),
        {4, 2},
        (n for n in (2, 4)),
        np.array([2, 4]),
        [np.int64(2), np.uint8(4)],
    ):
        found = Only(scales=value).scales  # type: ignore[arg-type]
        assert found == [2, 4] and {type(number) for number in found} == {int}
    for one in (np.int64(3), np.array(3), 3):
        assert Only(scales=one).scales == [3]  # type: ignore[arg-type]
    assert as_list("methods", {"b", "a"}) == as_list("methods", (m for m in "ab")) == ["a", "b"]
