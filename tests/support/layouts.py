"""Small trees in the layouts of public copies of data sets, under their real names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_files import USAGES, noise, write_csv, write_tree
from PIL import Image

FER = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
CK = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
JAFFE = ("AN", "DI", "FE", "HA", "NE", "SA", "SU")
KDEF = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")


def face(label: int, number: int, side: int = 48, colour: bool = False) -> np.ndarray:
    """A face whose mean grey tells its class, 20 and more for each; no two are alike."""
    shape = (side, side, 3) if colour else (side, side)
    return (20 + 30 * label + noise(1000 * label + number, *shape) // 16).astype(np.uint8)


def labels_of(images: np.ndarray) -> np.ndarray:
    return ((images.mean(axis=(1, 2, 3)) - 20) // 30).astype(np.int64)


def by_class(root: Path, pattern: str, names: tuple[str, ...], count: int, **kind: Any) -> Path:
    """pattern: where a picture lies, from {name} of its class and {n}."""
    start = kind.pop("start", 0)
    pictures = {
        pattern.format(name=name, n=start + n): face(label, start + n, **kind)
        for label, name in enumerate(names)
        for n in range(count)
    }
    return write_tree(root, pictures)


def fer_tree(root: Path, places: dict[str, int], names: tuple[str, ...] = FER) -> Path:
    for start, (place, count) in enumerate(places.items()):
        by_class(root, place + "/{name}/im{n}.png", names, count, start=100 * start)
    return root


def fer_train_test(root: Path) -> Path:
    by_class(root, "train/{name}/Training_{n}.jpg", FER, 2)
    by_class(root, "test/{name}/PublicTest_{n}.jpg", FER, 1, start=100)
    return by_class(root, "test/{name}/PrivateTest_{n}.jpg", FER, 1, start=200)


def fer_parquet(root: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (root / "data").mkdir()
    for start, split in enumerate(("train", "publicTest", "privateTest")):
        rows, numbers = [], []
        for label in range(7):
            buffer = io.BytesIO()
            Image.fromarray(face(label, 100 * start)).save(buffer, "PNG")
            rows.append({"bytes": buffer.getvalue(), "path": None})
            numbers.append(label)
        table = pyarrow.table({"image": rows, "label": numbers})
        parquet.write_table(table, root / "data" / f"{split}-00000-of-00001.parquet")
    return root


def generated(root: Path) -> Path:
    """FERPlus's folders: row k has eight votes for class k, and its picture is of that grey."""
    for usage, folder in enumerate(("FER2013Train", "FER2013Valid", "FER2013Test")):
        lines = []
        for k in range(8):
            name = f"fer{100 * usage + k:07d}.png"
            write_tree(root, {f"{folder}/{name}": face(k, usage)})
            votes = [8 if vote == k else 0 for vote in range(10)]
            lines.append(f'{name},"(0, 0, 48, 48)",' + ",".join(map(str, votes)))
        lines.append(',"(0, 0, 48, 48)",0,0,0,0,0,0,0,0,0,10')
        (root / folder / "label.csv").write_text("\n".join(lines) + "\n")
    return root


def raf_kaggle(root: Path) -> Path:
    by_class(root, "DATASET/train/{name}/train_{name}000{n}_aligned.jpg", tuple("1234567"), 9,
             side=20, colour=True)  # fmt: skip
    by_class(root, "DATASET/test/{name}/test_{name}00{n}_aligned.jpg", tuple("1234567"), 2,
             side=20, colour=True, start=100)  # fmt: skip
    (root / "train_labels.csv").write_text("image,label\n")
    (root / "test_labels.csv").write_text("image,label\n")
    return root


def ck(root: Path) -> Path:
    for person in range(5):
        by_class(root, f"CK+48/{{name}}/S01{person}_004_0000{{n}}.png", CK, 3, start=10 * person)
    return root


def jaffe(root: Path) -> Path:
    for number, person in enumerate(("KA", "KL", "KM", "KR", "MK")):
        by_class(root, person + ".{name}{n}.39.tiff", JAFFE, 3, start=10 * number)
    return root


def kdef(root: Path) -> Path:
    for number, person in enumerate(("AF01", "BF01", "AF02", "AM01", "BM01")):
        for angle in ("S", "HL"):
            by_class(root, f"{person}/{person}" + "{name}" + angle + ".JPG", KDEF, 1, side=30,
                     colour=True, start=10 * number + (angle == "S"))  # fmt: skip
    return root


def sfew(root: Path) -> Path:
    names = ("Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")
    by_class(root, "Train/{name}/a_{n}.png", names, 10)
    by_class(root, "Val/{name}/b_{n}.png", names, 2, start=100)
    return write_tree(root, {"Test/c_1.png": face(0, 500)})


def affectnet(root: Path) -> Path:
    for split, count in (("train_set", 11), ("val_set", 2)):
        (root / split / "annotations").mkdir(parents=True)
        for label in range(8):
            for n in range(count):
                number = 100 * label + n
                picture = face(label, number + 50 * (split == "val_set"), 30, colour=True)
                write_tree(root, {f"{split}/images/{number}.jpg": picture})
                for part, value in (("exp", str(label)), ("val", "0.1"), ("aro", "-0.2")):
                    np.save(root / split / "annotations" / f"{number}_{part}.npy", value)
    return root


def affectnet_lists(root: Path) -> Path:
    """Its first release: a face fills the right part of its picture; what is left of it is black.

    Lines with the codes 8 to 10, or without a box, are there as well.
    """
    lists, numbers = root / "Manually_Annotated_file_lists", iter(range(1, 1000))
    lists.mkdir(parents=True)
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    head += "expression,valence,arousal"
    for name, count in (("training", 11), ("validation", 2)):
        lines = [head] if name == "training" else []  # copies of validation.csv lack it
        for label in range(8):
            for _ in range(count):
                number = next(numbers)
                place = f"{number % 3}/{number:04d}.jpg"
                picture = np.zeros((30, 40, 3), np.uint8)
                picture[:, 10:] = face(label, number, 30, colour=True)
                write_tree(root, {f"Manually_Annotated/Manually_Annotated_Images/{place}": picture})
                lines.append(f"{place},10,0,30,30,1.5;2.0,{label},0.1,-0.2")
        lines.append("1/none.jpg,0,0,9,9,1;2,8,-2,-2")
        lines.append("1/noface.jpg,NULL,NULL,NULL,NULL,NULL,10,-2,-2")
        lines.append("1/boxless.jpg,0,0,0,0,1;2,1,0.5,0.5")
        (lists / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return root


def expw(root: Path) -> Path:
    """One face a picture, whose box leaves out a black border; the split is by names."""
    lines = []
    for label in range(7):
        for n in range(12):
            name = f"actor_{label}_{n}.jpg"
            picture = np.zeros((36, 44, 3), np.uint8)
            picture[4:34, 10:40] = face(label, n, 30, colour=True)
            write_tree(root, {f"data/image/origin/{name}": picture})
            lines.append(f"{name} 0 4 10 40 34 50.5 {label}")
    (root / "data" / "label").mkdir()
    (root / "data" / "label" / "label.lst").write_text("\n".join(lines) + "\n")
    return root


def raf_official(root: Path) -> Path:
    lines = []
    for split, count, start in (("train", 9, 0), ("test", 2, 100)):
        for label in range(7):
            for n in range(count):
                name = f"{split}_{100 * label + n:05d}"
                picture = face(label, start + n, 20, colour=True)
                write_tree(root, {f"basic/Image/aligned/{name}_aligned.jpg": picture})
                lines.append(f"{name}.jpg {label + 1}")
    (root / "basic" / "EmoLabel").mkdir()
    (root / "basic" / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return root


def fer_csv(root: Path, icml: bool = False) -> Path:
    """The challenge's table, each class once in each split."""
    faces = np.stack([face(k % 7, k) for k in range(21)])
    name = "icml_face_data.csv" if icml else "fer2013.csv"
    write_csv(root / name, (faces, np.arange(21) % 7, np.repeat([0, 1, 2], 7)), icml)
    return root


def ferplus_csv(root: Path) -> Path:
    """fer2013.csv and fer2013new.csv, by row: eight of ten votes for the face's class."""
    faces = np.stack([face(k % 8, k) for k in range(24)])
    usage = np.repeat([0, 1, 2], 8)
    write_csv(root / "fer2013.csv", (faces, np.arange(24) % 7, usage))
    words = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
    lines = ["Usage,Image name," + ",".join((*words, "unknown", "NF"))]
    for k in range(24):
        votes = ",".join("8" if vote == k % 8 else "0" for vote in range(10))
        lines.append(f"{USAGES[usage[k]]},fer{k:07d}.png,{votes}")
    (root / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    return root
