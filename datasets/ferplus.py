"""FERPlus (Barsoum et al., 2016): FER2013's pictures with ten annotators' votes each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.api import (
    DataError,
    Dataset,
    DatasetCard,
    FaceSet,
    Split,
    UserError,
    read_card,
    register_dataset,
)
from lrfer_bench.datasets.fer2013_rows import (
    USAGES,
    Rows,
    Source,
    find_source,
    read_rows,
    read_table,
)
from lrfer_bench.datasets.ferplus_folders import (
    LABELS,
    find_folders,
    read_counts,
    read_labels,
    read_new,
    read_pictures,
)

EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
VOTED = (*EMOTIONS, "unknown", "NF")
FILE = "fer2013new.csv"
FORMS = ("csv", "icml", "npz")
VOTES = ("new", "label")
FER2013_AS_VOTED = np.array([4, 5, 6, 1, 3, 2, 0])
"""The place in EMOTIONS of FER2013's angry, disgust, fear, happy, sad, surprise, neutral."""
LEAST_AGREEMENT, FEWEST_TO_JUDGE = 0.4, 1000


@register_dataset("ferplus")
class FERPlus(Dataset):
    """FER2013 relabelled: a majority decides which rows stay; the votes become soft labels.

    votes: "new" are those of fer2013new.csv, "label" those of the folders' label.csv, which differ
        in 1,601 rows; None takes "new" where they are there
    """

    card = read_card(Path(__file__).with_name("ferplus.card.toml"), DatasetCard)

    def __init__(self, votes: str | None = None) -> None:
        if votes is not None and votes not in VOTES:
            raise UserError(f'the option votes is "{votes}": give one of {", ".join(VOTES)}')
        self.votes = votes

    def sources(self, root: Path | None) -> Sequence[Path]:
        folders = self._folders(root)
        if folders:
            new = _new_beside(folders[0].parent)
            return folders if new is None else [*folders, new]
        source = find_source(root, "ferplus", FORMS)
        votes = _find_votes(source)
        return source.files if votes is None else (*source.files, votes)

    def load(self, root: Path | None) -> FaceSet:
        folders = self._folders(root)
        if folders:
            rows, votes, whence = self._by_name(folders)
            file, note = folders[0].parent, ""
        else:
            source = find_source(root, "ferplus", FORMS)
            rows = read_rows(source)
            votes, whence = self._by_row(source, rows)
            check_order(rows, votes, source.files[0])
            file, note = source.files[0], source.note
        notes = tuple(said for said in (note, whence, *rows.notes) if said)
        return FaceSet("ferplus", EMOTIONS, _splits(rows, votes, file), notes=notes)

    def _folders(self, root: Path | None) -> list[Path]:
        """The generator's folders where they are to be read: rows in their order go first."""
        if root is None or (self.votes != "label" and _has_rows(root)):
            return []
        return find_folders(Path(os.path.expanduser(root)))

    def _by_row(self, source: Source, rows: Rows) -> tuple[NDArray[np.uint8], str]:
        if self.votes == "label":
            raise DataError(
                f"votes=label needs the generator's folders, but {source.files[0]} was found: give "
                "the folder that holds FER2013Train, FER2013Valid and FER2013Test"
            )
        votes_file = _find_votes(source)
        if votes_file is not None:
            return read_votes(votes_file, rows, source), f"The votes were read from {FILE}."
        if rows.votes is not None:
            return rows.votes, f"The votes were read from {source.files[0].name}."
        raise DataError(
            f"there is no {FILE} beside {source.files[0]}: put the votes published at "
            f"{self.card.url} there"
        )

    def _by_name(self, folders: list[Path]) -> tuple[Rows, NDArray[np.uint8], str]:
        new = _new_beside(folders[0].parent)
        labels = [folder for folder in folders if (folder / LABELS).is_file()]
        if self.votes == "new" or (self.votes is None and new is not None):
            if new is None:
                raise DataError(f"votes=new needs {FILE} beside {folders[0]}: put it there")
            rows, votes = read_pictures(folders, read_new(new, VOTED))
            return rows, votes, f"The votes were read from {FILE}, joined by name."
        if len(labels) < len(folders):
            missing = next(folder for folder in folders if folder not in labels)
            raise DataError(
                f"{missing} has no {LABELS}: give the folders as the generator writes them, or put "
                f"{FILE} beside them"
            )
        rows, votes = read_pictures(folders, read_labels(folders))
        return rows, votes, f"The votes were read from {LABELS}, which differs from {FILE}."


def _has_rows(root: Path) -> bool:
    """Whether the rows of FER2013 are there with their votes."""
    try:
        source = find_source(root, "ferplus", FORMS)
    except DataError:
        return False
    return source.form == "npz" or _find_votes(source) is not None


def _new_beside(folder: Path) -> Path | None:
    places = (folder, folder.parent)
    return next((place / FILE for place in places if (place / FILE).is_file()), None)


def majority(
    votes: NDArray[np.integer],
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float32]]:
    """The published rule: which rows stay, their labels, and their votes as a distribution.

    votes: [N, 10] in the order of VOTED. Labels with one vote or none are dropped first; a row
    stays if its top label then has more than half of the votes and is neither unknown nor NF.

    Returns stays bool [N], label int64 [N] and soft float32 [N, 8]; a row that does not stay has
    an undefined label and zeros.
    """
    left = np.where(votes > 1, votes, 0).astype(np.int64)
    label = left.argmax(axis=1)
    stays = (2 * left.max(axis=1) > left.sum(axis=1)) & (label < len(EMOTIONS))
    kept = left[:, : len(EMOTIONS)]
    soft = kept / np.maximum(kept.sum(axis=1, keepdims=True), 1)
    return stays, label, np.where(stays[:, None], soft, 0).astype(np.float32)


def _splits(rows: Rows, votes: NDArray[np.uint8], file: Path) -> dict[str, Split]:
    stays, label, soft = majority(votes)
    splits = {}
    for usage, name in enumerate(("train", "val", "test")):
        mine = np.flatnonzero(stays & (rows.usage == usage))
        if len(mine) == 0:
            raise DataError(
                f"{file} has no row with Usage {USAGES[usage]} and a majority: it is not complete, "
                "copy it again"
            )
        splits[name] = Split(rows.images[mine][:, None], label[mine], soft[mine], mine)
    return splits


def check_order(rows: Rows, votes: NDArray[np.uint8], file: Path) -> None:
    """DataError for votes that are of other faces: a split sorted anew has the same Usages.

    Of the published rows 68 % have the majority's label in FER2013, too; shuffled 18 % do. A file
    with one emotion in all rows, for want of FER2013's, cannot be judged.
    """
    stays, label, _ = majority(votes)
    for usage, name in enumerate(USAGES):
        mine = stays & (rows.usage == usage)
        agree = FER2013_AS_VOTED[rows.emotion[mine]] == label[mine]
        told = len(agree) >= FEWEST_TO_JUDGE and len(np.unique(rows.emotion[mine])) > 1
        if told and agree.mean() < LEAST_AGREEMENT:
            raise DataError(
                f"the votes are not those of the faces of {file}: only {100 * agree.mean():.0f} % "
                f"of the labels of {name} agree, so its rows are not in the order as published, "
                "or its emotions are not FER2013's; copy it again"
            )


def _find_votes(source: Source) -> Path | None:
    """fer2013new.csv beside FER2013's file, or one folder up (for fer2013/fer2013.csv)."""
    folder = source.files[0].absolute().parent
    places = [folder, folder.parent] if folder.name == "fer2013" else [folder]
    return next((place / FILE for place in places if (place / FILE).is_file()), None)


def read_votes(path: Path, rows: Rows, source: Source) -> NDArray[np.uint8]:
    """Votes uint8 [N, 10], joined by row; DataError if they do not fit the rows.

    The file's own names and numbers of pictures lag behind the rows, so they are not used.
    """
    votes: list[list[int]] = []
    for where, (usage, *counts) in read_table(path, ("Usage", *VOTED)):
        number = len(votes)
        if number < len(rows.usage) and usage != USAGES[rows.usage[number]]:
            raise DataError(
                f'{where} has Usage "{usage[:40]}" but that row of {source.files[0].name} has '
                f"{USAGES[rows.usage[number]]}: the join is by row, give both files complete and "
                "unsorted"
            )
        votes.append(read_counts(counts, where))
    if len(votes) != len(rows.usage):
        raise DataError(
            f"{path} has {len(votes):,} rows but {source.files[0]} has {len(rows.usage):,}: "
            "the join is by row, give both files complete"
        )
    return np.array(votes, dtype=np.uint8)
