"""Where a model learned, in the words of its data set's card."""

from __future__ import annotations

from lrfer_bench.contract.cards import DatasetCard, card_of
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import DATASETS
from lrfer_bench.store.schema import Record


def learned_on(record: Record) -> str:
    """ "synthface (rendered faces: not for real ones)", or the name of the data set alone."""
    words = _words(record.dataset.name) or ("synthetic faces" if record.dataset.synthetic else "")
    return f"{record.dataset.name} ({words})" if words else record.dataset.name


def _words(name: str) -> str:
    """The card's; "" for a data set that is not here, or says nothing."""
    try:
        return card_of(DATASETS.entry(name), DatasetCard).learned_from
    except UserError:
        return ""
