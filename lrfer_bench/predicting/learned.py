"""Where a model learned, in the words of its data set's card; or that nobody here knows."""

from __future__ import annotations

from lrfer_bench.contract.cards import DatasetCard, card_of
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import DATASETS
from lrfer_bench.store.schema import Record


def learned_on(record: Record) -> str:
    """ "synthface (rendered faces: not for real ones)", or the name of the data set alone.

    What existed already was only tested here: nobody but its makers knows what it has seen.
    """
    name = record.dataset.name
    if record.method.existing:
        return f"not known: nothing was trained here, only tested on {name}"
    words = _words(name) or ("synthetic faces" if record.dataset.synthetic else "")
    return f"{name} ({words})" if words else name


def sentence(label: str, record: Record) -> str:
    """What predict says first of a model, which tables call `label`."""
    if record.method.existing:
        return f"what {label} learned on is {learned_on(record)}"
    return f"{label} learned on {learned_on(record)}"


def _words(name: str) -> str:
    """The card's; "" for a data set that is not here, or says nothing."""
    try:
        return card_of(DATASETS.entry(name), DatasetCard).learned_from
    except UserError:
        return ""
