"""FER2013 as parquet files, one or more a split, with the columns image and label."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lrfer_bench.api import DataError, UserError, below, class_indices
from lrfer_bench.datasets.fer2013_tree import EMOTIONS

WORDS = (
    ("train", "training"),
    ("public", "publictest", "valid", "validation", "val"),
    ("private", "privatetest", "test", "testing"),
)
"""What the name of a file or of its folder holds for each official split, in this order."""
SIDE = 48
MOST_BYTES = 1 << 30
"""FER2013 as PNG files takes some 60 MB."""


def find_parquet(folder: Path) -> tuple[Path, ...]:
    """The parquet files below a folder, where there are some for every split."""
    found = below(folder) if folder.is_dir() else ()
    files = tuple(sorted(path for path in found if path.suffix == ".parquet"))
    usages = {file: usage_of(file) for file in files}
    if not set(usages.values()) >= {0, 1, 2}:
        return ()
    strange = [file for file, usage in usages.items() if usage is None]
    if strange:
        raise DataError(
            f"{strange[0]} says none of train, public test (val) and private test (test) in its "
            "name, while other files there do: move it to another folder"
        )
    return files


def usage_of(file: Path) -> int | None:
    """0, 1 or 2: Training, PublicTest or PrivateTest; None for a name that says none of them.

    Its words count, "publicTest" as two, and the name of its folder where it says nothing itself.
    """
    for name in (file.stem, file.parent.name):
        spoken = re.findall("[a-z]+", re.sub("([a-z])([A-Z])", r"\1 \2", name).lower())
        for usage, words in enumerate(WORDS):
            if any(word in spoken for word in words):
                return usage
    return None


def read_parquet(
    files: Sequence[Path],
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """images uint8 [N, 48, 48], emotion and usage int64 [N], split by split in the files' order."""
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise UserError(
            'parquet files need the package pyarrow: pip install "lrfer-bench[parquet]", or pip '
            "install pyarrow"
        ) from error
    images: list[NDArray[np.uint8]] = []
    emotion: list[int] = []
    usage: list[int] = []
    for file in sorted(files, key=lambda file: (usage_of(file) or 0, file)):
        try:
            if not file.is_file():
                raise ValueError("it is not a regular file")
            taken = sum(_unpacked(parquet.read_metadata(file)))
            if taken > MOST_BYTES:
                raise ValueError(f"it unpacks to {taken:,} bytes, more than {MOST_BYTES:,}")
            table = parquet.read_table(file)
        except Exception as error:  # pyarrow's own kinds of errors
            raise DataError(f"{file} is not a parquet file ({error}): copy it again") from error
        for name in ("image", "label"):
            if name not in table.column_names:
                raise DataError(
                    f'{file} has no column "{name}", only {", ".join(table.column_names)}: FER2013 '
                    "has image and label"
                )
        index = _order(table.schema.metadata or {}, file)
        rows = zip(table["image"].to_pylist(), table["label"].to_pylist(), strict=True)
        for row, (picture, label) in enumerate(rows):
            images.append(_face(picture, f"{file}, row {row}"))
            if label not in index:
                raise DataError(f"{file}, row {row} has label {label}: it must be 0 to 6")
            emotion.append(index[label])
            usage.append(usage_of(file) or 0)
    return np.stack(images), np.array(emotion, np.int64), np.array(usage, np.int64)


def _unpacked(about: Any) -> Iterator[int]:
    """Bytes of each group of rows, as the file's own head tells."""
    return (about.row_group(group).total_byte_size for group in range(about.num_row_groups))


def _order(metadata: dict[bytes, bytes], file: Path) -> dict[int, int]:
    """What a label stands for: by the names in the file, where it has some; else as published."""
    try:
        features: Any = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = list(features["label"]["names"])
    except (KeyError, TypeError, ValueError):
        return {label: label for label in range(len(EMOTIONS))}
    index = class_indices(names, EMOTIONS, file, first_digit=0)
    return {label: index[name] for label, name in enumerate(names)}


def _face(picture: Any, where: str) -> NDArray[np.uint8]:
    data = picture.get("bytes") if isinstance(picture, dict) else picture
    try:
        with Image.open(io.BytesIO(data or b"")) as opened:
            if opened.size != (SIDE, SIDE):
                raise ValueError(f"it is {opened.width} x {opened.height}, not 48 x 48 pixels")
            face = np.array(opened.convert("L"), dtype=np.uint8)
    except Exception as error:  # a damaged picture can raise anything in Pillow's readers
        raise DataError(f"{where} has a picture that cannot be used ({error})") from error
    return face
