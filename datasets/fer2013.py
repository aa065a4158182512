"""FER2013 (Goodfellow et al., 2013) in the forms that people have it in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrfer_bench.api import (
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    read_card,
    register_dataset,
)
from lrfer_bench.datasets.fer2013_rows import USAGES, Rows, find_source, read_rows
from lrfer_bench.datasets.fer2013_tree import EMOTIONS, read_faces

SPLIT_OF_USAGE = ("train", "val", "test")


@register_dataset("fer2013")
class FER2013(Dataset):
    """48 x 48 grey faces in 7 classes; val is PublicTest, test is PrivateTest."""

    card = read_card(Path(__file__).with_name("fer2013.card.toml"), DatasetCard)

    def sources(self, root: Path | None) -> Sequence[Path]:
        return find_source(root, "fer2013").files

    def load(self, root: Path | None) -> FaceSet:
        source = find_source(root, "fer2013")
        notes = [source.note] if source.note else []
        if source.form == "folders":
            splits, how = read_faces(source.splits)
            return FaceSet("fer2013", EMOTIONS, splits, notes=(*notes, *how))
        rows = read_rows(source)
        return FaceSet(
            "fer2013", EMOTIONS, split_rows(rows, source.files[0]), notes=(*notes, *rows.notes)
        )


def split_rows(rows: Rows, file: Path) -> dict[str, Split]:
    """The official splits; DataError when one of them has no row, as in a file that was cut."""
    splits = {}
    for usage, name in enumerate(SPLIT_OF_USAGE):
        mine = np.flatnonzero(rows.usage == usage)
        if len(mine) == 0:
            raise DataError(
                f"{file} has no row with Usage {USAGES[usage]}: it is not complete, copy it again"
            )
        splits[name] = Split(rows.images[mine][:, None], rows.emotion[mine], rows=mine)
    return splits
