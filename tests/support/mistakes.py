"""A user's folder with mistakes in it, and calls that run into them.

tests/test_messages.py is made of these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import made_records
import numpy as np
import torch
from folders import REFERENCE, TINY
from made import made_faces, tiny_preset
from small_models import fit
from torch import nn

import lrfer_bench
from lrfer_bench.api import Batch, FaceSet, Method, Split, Task
from lrfer_bench.files import write_atomically
from lrfer_bench.running.evaluate import predict
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store
from lrfer_bench.tuning.study import About, Folder, Study

FILES = {
    "file": "in the way",
    "torn.png": "no picture",
    "loose.toml": "[kd]\nkd_weight = 2\n",
    "slip.toml": "[settings.kdd]\nkd_weight = 2\n",
    "wrong.py": "def f(:\n",
    "taken.py": """from lrfer_bench.api import Method, register_method


@register_method("direct")
class Mine(Method):
    pass
""",
    "net.py": """from torch import nn


class Net(nn.Linear):
    classes = ("left", "right", "top", "bottom")

    def __init__(self):
        super().__init__(256, 4)


def three():
    return len


three.classes = ("left", "right", "top")


def nameless():
    return len


def fails():
    def ask(faces):
        raise ValueError("no faces today")

    return ask
""",
    "odd.py": """from lrfer_bench.api import Method, Protocol, register_method, register_protocol


@register_method("odd")
class Odd(Method):
    trains = "often"


@register_method("selfish")
class Selfish(Method):
    needs = {"other": "selfish@lr"}


@register_protocol("corner")
class Corner(Protocol):
    def degrade(self, hr, size, scale, seeds):
        return hr[:, :, ::scale, ::scale]
""",
}
"""The user's folder, beside results folders."""


def fill(folder: Path) -> None:
    """A user's files, and results folders of made records.

    The folders are whole, cut, edited, and with nothing in them.
    """
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "empty").mkdir()
    Folder(folder / "tuned").save(Study(method="kd", about=OTHER))
    for name in ("results", "cut", "edited"):
        save(folder / name, scale=2)
    save(folder / "results", scale=4)
    made_records.save(
        folder / "results", method="multires", failure="train multires: no (mine.py:3)"
    )
    for name, spoil in (
        ("cut", lambda text: text[:99]),
        ("edited", lambda text: text.replace("2.5", "0.5")),
    ):
        (path,) = (folder / name / "records").iterdir()
        path.write_text(spoil(path.read_text()))


OTHER = About(
    dataset="faces", fingerprint="f" * 64, preset="cpu@1", epochs=7, protocols=["bicubic@1"],
    scales=[4], seeds=[0], faces=3589,
)  # fmt: skip
"""Conditions of a tuning on other faces."""


def save(root: Path, **fields: Any) -> Record:
    labels = np.arange(40) % 7
    return made_records.save(root, labels % 3 > 0, labels, method="direct", **fields)


def key(method: str, results: Path = Path("results")) -> str:
    """The key of a method's first record."""
    records = (record for record in Store(results).scan() if isinstance(record, Record))
    return next(record.key for record in records if record.method.name == method)


def logits_after(change: Callable[[Path], object]) -> object:
    """Read the logits of a record when something has happened to their file."""
    record, store = save(Path("exchanged")), Store(Path("exchanged"))
    change(store.logits / f"{record.stem}.npz")
    return store.read_logits(next(one for one in store.scan() if isinstance(one, Record)))


def on_a_full_disk(call: Callable[[], object]) -> object:
    with patch("os.fsync", side_effect=OSError(28, "No space left on device")):
        return call()


def with_cache(folder: str, call: Callable[[], object]) -> object:
    with patch.dict("os.environ", LRFER_CACHE=folder):
        return call()


def without_optuna(call: Callable[[], object]) -> object:
    with patch.dict("sys.modules", optuna=None):
        return call()


class Made(Method):
    """Its loss is `loss`; its answers are `classes` logits of `answer`."""

    def __init__(
        self, task: Task, loss: float = 1.0, classes: int = 7, answer: float = 0.0
    ) -> None:
        super().__init__(task)
        self.weight = nn.Parameter(torch.ones(()))
        self.loss, self.classes, self.answer = loss, classes, answer

    def losses(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {"ce": self.weight * self.loss}

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        return torch.full((len(lr), self.classes), self.answer)


def made_method(**fields: Any) -> Made:
    return Made(Task(7, 1, (16, 16), (4,), tiny_preset()), **fields)


def inner() -> type[Method]:
    class Inner(Method):
        pass

    return Inner


def with_label(label: int) -> FaceSet:
    """A FaceSet of two classes, all of whose test faces have that label."""
    faces = made_faces(4, classes=2)
    test = Split(faces.images, np.full(4, label))
    return FaceSet("mine", ("a", "b"), {"train": faces, "val": faces, "test": test})


def with_votes(share: float) -> FaceSet:
    """Two classes; the second test face has votes of this share in place of 1."""
    votes = np.eye(2, dtype=np.float32)[np.ones(4, int)]
    votes[1, 0] = share
    return with_test(soft=votes)


def with_test(**fields: Any) -> FaceSet:
    """Two classes; the split of four test faces has these fields in place of its own."""
    faces = with_label(1)
    return replace(faces, splits={**faces.splits, "test": replace(faces.test, **fields)})


NAMES = {
    "REFERENCE": REFERENCE, "TINY": TINY, "Path": Path,
    "run": lrfer_bench.run, "tune": lrfer_bench.tune, "report": lrfer_bench.report,
    "load_model": lrfer_bench.load_model, "load_results": lrfer_bench.load_results,
    "write_atomically": write_atomically, "fit": fit, "predict": predict, "made_faces": made_faces,
    "key": key, "inner": inner, "logits_after": logits_after, "made_method": made_method,
    "on_a_full_disk": on_a_full_disk, "with_cache": with_cache, "with_label": with_label,
    "with_votes": with_votes,
    "without_optuna": without_optuna,
}  # fmt: skip
"""What the calls in the table are made of."""
