"""A loader that is asked: what it cannot do without, and its slips as sentences with their line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.plugins.blame import place_of, said_where


@contextmanager
def asking(dataset: Dataset, name: str, root: Path | None, function: str) -> Iterator[None]:
    """Around a call of a loader's function: DataError for what is no UserError already.

    A loader names the faults it knows. Here an error of the system, such as a file that may not be
    read, is named, and any other exception with the author's line.
    """
    try:
        yield
    except UserError:
        raise
    except OSError as error:
        raise DataError(
            f"{error.filename or root} cannot be read: {error.strerror or error}; check the file "
            "and its permissions"
        ) from error
    except Exception as error:
        said = said_where(error, place_of(type(dataset), function))
        files = f", or the files in {root}" if root else ""
        raise DataError(
            f'the loader of the data set "{name}" failed: {said}; correct it there{files}'
        ) from error


def check_root(dataset: Dataset, name: str, root: Path | None) -> None:
    """DataError where a data set is made of the user's files and none are given.

    What its loader says itself tells more, so it is asked first.
    """
    if root is not None or not dataset.needs_root:
        return
    try:
        dataset.sources(None)
    except UserError:
        raise
    except Exception:  # such as None / "faces.npz"
        pass
    raise DataError(
        f'the data set "{name}" is made of files of yours: give their folder with --data-root DIR '
        "(data_root= in Python), or write needs_root = False into its class if it reads none"
    )
