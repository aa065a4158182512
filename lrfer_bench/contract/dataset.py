"""Dataset: what a data set's author writes. Needs numpy only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lrfer_bench.contract.cards import DatasetCard
from lrfer_bench.contract.faceset import FaceSet


class Dataset(ABC):
    """A data set that the harness can load.

    Options are keyword arguments of __init__ (`--data-option size=112` on the command line arrives
    as size=112), kept as attributes of the same names.

    needs_root: whether the user must bring files (--data-root). If so, nothing is read without;
        write False for a data set that makes its faces or knows where they are
    """

    card: ClassVar[DatasetCard]
    needs_root: ClassVar[bool] = True

    @abstractmethod
    def sources(self, root: Path | None) -> Sequence[Path]:
        """The files (or folders) that load() would read.

        Raises DataError when they are missing, and names what was looked for.
        """

    @abstractmethod
    def load(self, root: Path | None) -> FaceSet:
        """Read everything into a FaceSet; DataError names the file, the row and the fault."""
