"""A data set by its name, with options: as an object, or prepared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.data.cache import Prepared, prepare
from lrfer_bench.data.reading import Watch, unwatched
from lrfer_bench.data.signature import called, option_names, required_options
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.plugins.blame import line_of, said_where
from lrfer_bench.plugins.registry import DATASETS


def make_dataset(name: str, options: Mapping[str, Any] | None = None) -> Dataset:
    """The data set of that name with these options.

    UserError for an unknown name or option, for an option that is missing and has no default, and
    for a class that cannot be made.
    """
    kind: Any = DATASETS.load(name)
    known = option_names(kind)
    for option in options or {}:
        if option not in known:
            raise UserError(
                f'data set "{name}" has no option "{option}": {did_you_mean(option, known)}'
            )
    missing = [option for option in required_options(kind) if option not in (options or {})]
    if missing:
        raise UserError(
            f'data set "{name}" has no default for its option "{missing[0]}": give it, as '
            f"--data-option {missing[0]}=VALUE does"
        )
    own = called(name, options or {})
    if own != name and own in DATASETS.names():
        raise UserError(
            f'the option name is "{own}", which is another data set: choose a name of your own'
        )
    if not (isinstance(kind, type) and issubclass(kind, Dataset)):
        raise UserError(
            f'the data set "{name}" is no class that derives from lrfer_bench.api.Dataset: write '
            f"one ({line_of(kind)})"
        )
    try:
        return kind(**(options or {}))
    except UserError:
        raise
    except Exception as error:  # also a class without sources() or load()
        said = said_where(error, line_of(kind))
        raise UserError(
            f'the data set "{name}" cannot be made with these options: {said}; correct them or its '
            "class there"
        ) from error


def prepared_dataset(
    name: str, root: Path | None, options: Mapping[str, Any], watch: Watch = unwatched
) -> Prepared:
    """Load a data set by name, or find it in the cache.

    watch shows how far it is. UserErrors say what is missing and where.
    """
    dataset = make_dataset(name, options)
    with watch() as tick:
        return prepare(dataset, name, root, tick=tick)
