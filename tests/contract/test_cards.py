"""Cards: a text where a tuple is wanted is one text, and the other way round."""

from __future__ import annotations

from typing import Any

import in_process
import pytest
import registries

from lrfer_bench.contract.cards import DatasetCard, MethodCard


def test_a_text_alone_is_one_text_in_every_list() -> None:
    card = MethodCard("x", stated=("one layer"), ours=("our own rate"))  # type: ignore[arg-type]
    assert card.stated == ("one layer",) and card.ours == ("our own rate",)
    data = DatasetCard("x", classes=("happy"), notes=["a", "b"])  # type: ignore[arg-type]
    assert data.classes == ("happy",) and data.notes == ("a", "b")


@pytest.mark.parametrize(
    ("field", "given", "text"),
    [
        ("authors", ("Ada Lovelace", "Charles Babbage"), "Ada Lovelace, Charles Babbage"),
        ("title", ("Lines",), "Lines"),
        ("bibtex", ["@misc{a}", "@misc{b}"], "@misc{a}\n\n@misc{b}"),
        ("url", None, ""),
    ],
)
def test_a_list_in_place_of_a_text_is_one_text(field: str, given: Any, text: str) -> None:
    assert getattr(MethodCard("x", **{field: given}), field) == text
    assert MethodCard(("x",)).summary == "x"  # type: ignore[arg-type]


def test_show_prints_a_text_without_its_comma_as_one_line(tmp_path: Any) -> None:
    file = tmp_path / "carded.py"
    file.write_text(
        "from lrfer_bench.api import Method, MethodCard, register_method\n\n\n"
        "@register_method('carded')\nclass Carded(Method):\n"
        "    card = MethodCard(summary='a net', ours=('our own rate'))\n"
    )
    with registries.kept():
        shown = in_process.lrfer("methods", "show", "carded", "--plugin", file)
    assert shown.status == 0 and "Ours:\n  - our own rate\n" in shown.out, shown.out
