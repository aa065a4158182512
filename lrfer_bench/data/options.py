"""A data set by name and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.data.cache import option_names
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.plugins.registry import DATASETS


def make_dataset(name: str, options: Mapping[str, Any] | None = None) -> Dataset:
    """The data set of that name with these options; UserError for an unknown name or option."""
    kind = DATASETS.load(name)
    known = option_names(kind)
    for option in options or {}:
        if option not in known:
            raise UserError(f'data set "{name}" has no option "{option}": {did_you_mean(option, known)}')
    return kind(**(options or {}))
