"""A plugin as a user would write it: a data set of small drawn faces, and methods.

Some of the methods behave badly on purpose.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lrfer_bench.api import (
    Dataset,
    DatasetCard,
    FaceSet,
    Method,
    MethodCard,
    Split,
    register_dataset,
    register_method,
)

CLASSES = ("left", "right", "top", "bottom")


def drawn(count: int, seed: int) -> Split:
    """uint8 [count, 1, 16, 16]: a bright half says the class, noise covers it."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % len(CLASSES)
    images = rng.integers(60, 120, (count, 1, 16, 16))
    for image, label in zip(images, labels, strict=True):
        half = (
            np.s_[:, :, :8]
            if label == 0
            else np.s_[:, :, 8:]
            if label == 1
            else np.s_[:, :8]
            if label == 2
            else np.s_[:, 8:]
        )
        image[half] += rng.integers(20, 120)
    return Split(images.astype(np.uint8), labels.astype(np.int64))


@register_dataset("tinyfaces")
class TinyFaces(Dataset):
    """96 + 32 + 48 drawn faces of 16x16 pixels in 4 classes.

    Two test and one validation face also stand in train.
    """

    card = DatasetCard(summary="drawn 16-pixel faces for tests", synthetic=True, showable=True)
    needs_root = False

    def __init__(self, train: int = 96) -> None:
        self.train = train

    def sources(self, root: Path | None) -> Sequence[Path]:
        return []

    def load(self, root: Path | None) -> FaceSet:
        train, val, test = drawn(self.train, 1), drawn(32, 2), drawn(48, 3)
        # Mirror symmetry must not matter here, so left and right are told apart by a mark that
        # flips do not move.
        for split in (train, val, test):
            split.images[split.labels == 0, :, 6:10, :] = 255
        test.images[:2], test.labels[:2] = train.images[:2], train.labels[:2]
        val.images[5], val.labels[5] = train.images[5], train.labels[5]
        return FaceSet(
            "tinyfaces", CLASSES, {"train": train, "val": val, "test": test}, synthetic=True
        )


class _Linear(Method):
    def __init__(self, task):
        super().__init__(task)
        height, width = task.size
        self.linear = nn.Linear(task.channels * height * width, task.classes)

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))

    def losses(self, batch):
        return {"ce": F.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch.label)}


@register_method("linear")
class Linear(_Linear):
    """A linear classifier that behaves."""

    card = MethodCard(
        summary="one linear layer on the enlarged pixels",
        title="Lines in Tiny Faces",
        authors="Ada Lovelace",
        year=1843,
        url="https://example.org/lines",
        bibtex="@misc{lovelace1843lines, title={Lines in Tiny Faces}, author={Lovelace, Ada}}",
        stated=("one layer",),
        ours=("its rate",),
    )


@register_method("slow")
class Slow(_Linear):
    """A linear classifier that takes its time, so that a test can kill it in the middle.

    Its dropout needs the seed restored.
    """

    def losses(self, batch):
        time.sleep(float(os.environ.get("LRFER_TEST_SLEEP", "0.08")))
        x = F.dropout(self.enlarged(batch).flatten(1), 0.3, self.training)
        return {"ce": F.cross_entropy(self.linear(x), batch.label)}


@register_method("raises")
class Raises(_Linear):
    """Raises in its loss."""

    def losses(self, batch):
        raise ValueError("nobody told me about faces")


@register_method("nan-loss")
class NaNLoss(_Linear):
    """Its loss is no number."""

    def losses(self, batch):
        return {"ce": super().losses(batch)["ce"] * float("nan")}


@register_method("wrong-shape")
class WrongShape(_Linear):
    """Answers one logit too few."""

    def forward(self, lr):
        return (
            super().forward(lr)[:, :-1]
            if not self.training and len(lr) > 32
            else super().forward(lr)
        )


@register_method("nan-logits")
class NaNLogits(_Linear):
    """Answers NaN."""

    def forward(self, lr):
        return super().forward(lr) * torch.tensor(float("nan"))


@register_method("exits")
class Exits(_Linear):
    """Calls sys.exit and prints."""

    def losses(self, batch):
        print("I am on standard output")
        sys.exit(3)


@register_method("dies")
class Dies(_Linear):
    """Takes its whole process with it, every time."""

    def losses(self, batch):
        os.kill(os.getpid(), 9)


@register_method("dies-once")
class DiesOnce(_Linear):
    """Takes its process with it the first time only; the flag file is named by the environment."""

    def losses(self, batch):
        flag = Path(os.environ["LRFER_TEST_FLAG"])
        if not flag.exists():
            flag.write_text("died")
            os.kill(os.getpid(), 9)
        return super().losses(batch)
