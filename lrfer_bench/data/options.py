"""Data set options from the command line (`--data-option size=112`) to a data set object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.data.cache import option_names
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.plugins.registry import DATASETS

WORDS: Mapping[str, Any] = {"true": True, "false": False, "none": None}


def parse_options(pairs: Iterable[str]) -> dict[str, Any]:
    """["size=112", "colour=grey"] -> {"size": 112, "colour": "grey"}; UserError for one without a name or "=".

    Values that look like whole numbers, numbers, true, false or none become these; all others stay text.
    """
    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UserError(f'"{pair}" is no data option: write name=value, such as size=112')
        if name in options:
            raise UserError(f'the data option "{name}" is given twice: give it once')
        options[name] = _value(text.strip())
    return options


def make_dataset(name: str, options: Mapping[str, Any] | None = None) -> Dataset:
    """The data set of that name with these options; UserError for an unknown name or option."""
    kind = DATASETS.load(name)
    known = option_names(kind)
    for option in options or {}:
        if option not in known:
            raise UserError(f'data set "{name}" has no option "{option}": {did_you_mean(option, known)}')
    return kind(**(options or {}))


def _value(text: str) -> Any:
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
