"""Where a model learned, in the words of the data set's own card."""

from __future__ import annotations

import made_records
import pytest

from lrfer_bench.contract.cards import DatasetCard, card_of
from lrfer_bench.plugins.registry import DATASETS
from lrfer_bench.predicting.learned import learned_on, sentence


def said(dataset: str, synthetic: bool = False) -> str:
    return learned_on(made_records.make_record(failure="-", dataset=dataset, synthetic=synthetic))


def test_rendered_faces_are_not_for_real_ones() -> None:
    assert said("synthface", True) == "synthface (rendered faces: not for real ones)"


@pytest.mark.parametrize("name", ["fer2013", "ferplus", "rafdb", "affectnet", "expw"])
def test_built_in_data_sets_of_photographs_say_what_they_are(name: str) -> None:
    words = card_of(DATASETS.entry(name), DatasetCard).learned_from
    assert "web" in words and said(name) == f"{name} ({words})"


def test_a_data_set_that_is_not_here_is_named() -> None:
    assert said("nobodys") == "nobodys"
    assert said("nobodys", True) == "nobodys (synthetic faces)"


@pytest.mark.parametrize("dataset", ["synthface", "nobodys"])
def test_what_existed_already_is_not_said_to_have_learned_here(dataset: str) -> None:
    """The bench tested it and does not know what it has seen."""
    record = made_records.make_record(failure="-", dataset=dataset, synthetic=True)
    existing = record.model_copy(
        update={"method": record.method.model_copy(update={"existing": True})}
    )
    said = learned_on(existing)
    assert said == f"not known: nothing was trained here, only tested on {dataset}"
    assert sentence("net", existing) == f"what net learned on is {said}"
    assert sentence("net", record) == f"net learned on {learned_on(record)}"
