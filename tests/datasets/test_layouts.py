"""Data sets as they lie on people's disks: each layout by its real names, from disk to record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import (
    CK,
    FER,
    JAFFE,
    KDEF,
    affectnet,
    affectnet_lists,
    ck,
    expw,
    fer_csv,
    fer_parquet,
    fer_train_test,
    fer_tree,
    ferplus_csv,
    generated,
    jaffe,
    kdef,
    labels_of,
    raf_kaggle,
    raf_official,
    sfew,
)
from made import tiny_preset
from small_models import plan_of

from lrfer_bench.contract.cards import DatasetCard
from lrfer_bench.data.cache import Prepared, prepare
from lrfer_bench.data.classes import meaning_of
from lrfer_bench.data.options import make_dataset
from lrfer_bench.data.verify import verify
from lrfer_bench.planning.plan import data_ref
from lrfer_bench.running.jobs import TestJob, TrainJob
from lrfer_bench.running.work import run_test, run_training

Layout = tuple[str, Callable[[Path], Path], dict[str, Any], tuple[int, int, int], str]

LAYOUTS: dict[str, Layout] = {
    "fer2013 of the challenge": ("fer2013", fer_csv, {}, (7, 7, 7), ""),
    "fer2013 of the challenge, icml": (
        "fer2013", lambda root: fer_csv(root, icml=True), {}, (7, 7, 7), ""),
    "fer2013 by the most used tree": ("fer2013", fer_train_test, {}, (14, 7, 7), "official split"),
    "fer2013 in three folders": (
        "fer2013", lambda root: fer_tree(root, {"train": 4, "val": 2, "test": 2}), {},
        (28, 14, 14), "three splits"),
    "fer2013 in capitals": (
        "fer2013", lambda root: fer_tree(root, {"Train": 10, "Test": 2},
                                         tuple(name.title() for name in FER)), {},
        (63, 7, 14), "cut from train"),
    "fer2013 re-split": (
        "fer2013", lambda root: fer_tree(root, {"images/train": 10, "images/validation": 2},
                                         ("anger", "disgust", "fear", "happiness", "sadness",
                                          "surprise", "neutral")), {},
        (63, 7, 14), "validation/"),
    "fer2013 re-split, twice images": (
        "fer2013", lambda root: fer_tree(root, {"images/images/train": 10,
                                                "images/images/validation": 2}), {},
        (63, 7, 14), "validation/"),
    "fer2013 by usages and digits": (
        "fer2013", lambda root: fer_tree(root, {"Training": 3, "PublicTest": 2, "PrivateTest": 1},
                                         tuple("0123456")), {},
        (21, 14, 7), "official split"),
    "fer2013 as parquet": ("fer2013", fer_parquet, {}, (7, 7, 7), "rows"),
    "ferplus as generated": ("ferplus", generated, {}, (8, 8, 8), "label.csv"),
    "ferplus by row": ("ferplus", ferplus_csv, {}, (8, 8, 8), "fer2013new.csv"),
    "rafdb, official": ("rafdb", raf_official, {}, (56, 7, 14), "cut off as val"),
    "rafdb of Kaggle": ("rafdb", raf_kaggle, {}, (56, 7, 14), "cut off as val"),
    "affectnet": ("affectnet", affectnet, {"size": 16}, (80, 8, 16), "val_set is the test"),
    "affectnet of 7": (
        "affectnet", affectnet, {"size": 16, "classes": 7}, (70, 7, 14), "val_set is the test"),
    "affectnet of 2017": (
        "affectnet", affectnet_lists, {"size": 16}, (80, 8, 16), "validation.csv is the test"),
    "affectnet of 2017, 7": (
        "affectnet", affectnet_lists, {"size": 16, "classes": 7}, (70, 7, 14), "without a box"),
    "expw": ("expw", expw, {"size": 16}, (69, 11, 4), "no official split"),
    "CK+": ("folder", ck, {"person": "(S[0-9]+)_", "name": "ck"}, (63, 21, 21), "5 people"),
    "JAFFE": (
        "folder", jaffe, {"person": r"([A-Z]{2})\.[A-Z]{2}\d", "name": "jaffe",
                          "label": r"\.(AN|DI|FE|HA|NE|SA|SU)\d"}, (63, 21, 21), "5 people"),
    "KDEF": (
        "folder", kdef, {"person": r"[AB]([FM]\d\d)", "only": r"S\.JPG$", "name": "kdef",
                         "label": r"[AB][FM]\d\d(AF|AN|DI|HA|NE|SA|SU)"}, (14, 7, 14), "3 people"),
    "SFEW": ("folder", sfew, {"name": "sfew"}, (63, 7, 14), "no labels"),
}  # fmt: skip
"""What it is: data set, what writes it, options, faces of train, val and test, a word of a note."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_prepared_verified_and_trained(layout: str, tmp_path: Path) -> None:
    name, write, options, counts, word = LAYOUTS[layout]
    root = tmp_path / "root"
    root.mkdir()
    dataset = make_dataset(name, options)
    prepared = prepare(dataset, name, write(root), cache=tmp_path / "cache")
    faces = prepared.faces
    found = tuple(len(faces.splits[split]) for split in ("train", "val", "test"))
    assert sum(found) == sum(counts) and found == counts, (found, faces.notes)
    if "person" in options:
        word = word.replace("5 people", "people, nobody").replace("3 people", "people, nobody")
    assert not word or any(word in note for note in faces.notes), faces.notes
    said = np.concatenate([split.labels for split in faces.splits.values()])
    seen = np.concatenate([labels_of(split.images) for split in faces.splits.values()])
    order = _order_of(layout, faces.classes)
    np.testing.assert_array_equal(said, np.array(order)[seen])
    hashes = [image.tobytes() for split in faces.splits.values() for image in split.images]
    assert len(set(hashes)) == len(hashes), "a picture stands in two splits"
    result = verify(prepared, getattr(dataset, "card", DatasetCard("")))
    checks = {check.what: check.ok for check in result.checks}
    assert checks["cached bytes"] and checks.get("classes", True)
    again = prepare(make_dataset(name, options), name, root, cache=tmp_path / "other")
    assert again.fingerprint == prepared.fingerprint
    _trains_for_one_epoch(name, prepared, options)


def _trains_for_one_epoch(name: str, prepared: Prepared, options: dict[str, Any]) -> None:
    """To a record, without a process of its own."""
    plan = plan_of(["direct"], (2,), tiny_preset(epochs=1), data_ref(name, prepared))
    (training,), (cell,) = plan.trainings.values(), plan.cells.values()
    model = run_training(TrainJob(training, {}))
    assert len(model.cost.history) == 1
    record, _ = run_test(TestJob(cell, {training.key: model}))
    assert record.status == "finished" and record.dataset.name == options.get("name", name)
    assert record.metrics is not None and record.metrics.all.n == len(prepared.faces.test)


def _order_of(layout: str, classes: tuple[str, ...]) -> list[int]:
    """Grey step of a drawn face -> index of its class."""
    drawn: dict[str, tuple[str, ...]] = {"CK+": CK, "JAFFE": JAFFE, "KDEF": KDEF}
    names = drawn.get(layout, classes)
    meanings = [meaning_of(name) for name in classes]
    return [meanings.index(meaning_of(name)) for name in names]
