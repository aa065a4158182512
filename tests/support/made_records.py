"""Made-up records and logits for tests: a world whose true accuracies are known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import (
    Cost,
    DatasetPart,
    Epoch,
    Failure,
    MethodPart,
    Record,
    SelectionPart,
    StagePart,
    TestPart,
    TrainPart,
)
from lrfer_bench.store.store import Store

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


PRICE = {
    "parameters": 690_000,
    "macs": 20_000_000,
    "latency_ms": 2.5,
    "throughput": 900.0,
    "train_seconds": 600.0,
    "peak_memory_mb": 700.0,
}
ENVIRONMENT = {
    "python": "3.11.4",
    "torch": "2.14.1",
    "processor": "made up",
    "git_commit": "0" * 40,
}


def logits_for(correct, labels, classes, rng):
    """Logits whose highest is the label where correct, else another class."""
    n = len(labels)
    wrong = (labels + rng.integers(1, classes, n)) % classes
    said = np.where(correct, labels, wrong)
    logits = rng.normal(0, 0.5, (n, classes)).astype(np.float32)
    logits[np.arange(n), said] = (
        logits.max(axis=1) + rng.gamma(2.0, 0.6, n).astype(np.float32) + 0.01
    )
    return logits


def make_logits(correct, labels, classes=7, clean=None, seed=0):
    labels = np.asarray(labels, dtype=np.int64)
    keep = np.ones(len(labels), dtype=bool) if clean is None else np.asarray(clean, dtype=bool)
    rng = np.random.default_rng(seed)
    return Logits(logits_for(np.asarray(correct, dtype=bool), labels, classes, rng), labels, keep)


def make_record(logits=None, **fields):
    """A consistent record; finished when logits are given, failed when a failure sentence is.

    fields: those of Cell.
    """
    return Cell(**fields).record(logits)


@dataclass(kw_only=True)
class Cell:
    """The words of a record, with defaults for all."""

    method: str = "direct"
    dataset: str = "faces"
    scale: int = 4
    seed: int = 0
    protocol: str = "bicubic@1"
    test_protocol: str | None = None
    train_scales: list[int] | None = None
    settings: dict[str, Any] | None = None
    version: str = "1"
    kind: str = "lr"
    preset: str = "cpu@1"
    classes: Sequence[str] = CLASSES
    synthetic: bool = False
    failure: str | None = None
    traceback: str = ""
    tta: str | None = None
    stages: dict[str, StagePart] = field(default_factory=dict)
    source: str = "lrfer-bench 0.1.0"
    side: int = 48
    cost: dict[str, float] = field(default_factory=dict)
    epochs: int = 4
    fingerprint: str | None = None
    key: str | None = None
    trials: int | None = None
    weights: Sequence[str] = ()
    existing: bool = False
    files: dict[str, str] = field(default_factory=dict)
    stage_settings: Sequence[str] | None = None

    def __post_init__(self):
        self.test_protocol = self.test_protocol or self.protocol
        if self.train_scales is None:
            self.train_scales = [] if self.kind == "oracle" else [self.scale]
        self.key = self.key or self.hashed()

    def hashed(self):
        """A key of all that tells cells apart."""
        names = (
            "method version settings dataset fingerprint scale seed protocol test_protocol "
            "train_scales preset"
        )
        identity = [getattr(self, name) for name in names.split()]
        identity += [*self.weights]
        identity += [sorted(stage.key for stage in self.stages.values()), self.source]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()

    def price(self):
        stages = sum(stage.train_seconds for stage in self.stages.values())
        price = {**PRICE, **self.cost}
        return Cost(**{"train_seconds_with_stages": price["train_seconds"] + stages, **price})

    def history(self):
        return [
            Epoch(
                epoch=e,
                seconds=10.0,
                losses={"ce": 2.0 / e, "kd": 1.0 / e},
                val_accuracy=0.3 + 0.05 * e,
            )
            for e in range(1, self.epochs + 1)
        ]

    def record(self, logits):
        failed = self.failure is not None
        return Record(
            key=self.key,
            status="failed" if failed else "finished",
            dataset=DatasetPart(
                name=self.dataset,
                fingerprint=self.fingerprint or hashlib.sha256(self.dataset.encode()).hexdigest(),
                classes=list(self.classes),
                synthetic=self.synthetic,
            ),
            method=MethodPart(
                name=self.method,
                version=self.version,
                settings=self.settings or {},
                source=self.source,
                kind=self.kind,
                test_time_augmentation=self.tta,
                trials=self.trials,
                weights=list(self.weights),
                existing=self.existing,
                files=self.files,
                stage_settings=None if self.stage_settings is None else [*self.stage_settings],
            ),
            train=TrainPart(protocol=self.protocol, scales=self.train_scales),
            test=TestPart(
                protocol=self.test_protocol,
                scale=self.scale,
                size_px=-(-self.side // self.scale),
            ),
            seed=self.seed,
            preset=self.preset,
            stages=self.stages,
            history=self.history(),
            environment=ENVIRONMENT,
            failure=Failure(sentence=self.failure, traceback=self.traceback) if failed else None,
            **({} if failed else self.finished(logits)),
        )

    def finished(self, logits):
        """The parts that a failed record lacks."""
        return {
            "selection": SelectionPart(rule="best-on-val", epoch=self.epochs, epochs=self.epochs),
            "metrics": score(logits.logits, logits.labels, logits.clean),
            "cost": self.price(),
        }


def save(root, correct=None, labels=None, clean=None, classes=CLASSES, noise=0, **fields):
    """Write one cell; correct: bool [N], or None with failure=..."""
    store = Store(root)
    if correct is None:
        record = make_record(None, classes=classes, **fields)
        store.save(record)
        return record
    logits = make_logits(correct, labels, len(classes), clean, seed=noise)
    record = make_record(logits, classes=classes, **fields)
    store.save(record, logits)
    return record


def save_hundred(root, right=60, **fields):
    """A cell of 100 images, the first of them right."""
    return save(root, np.arange(100) < right, np.arange(100) % 7, noise=right, **fields)


class World:
    """Images with difficulties.

    A method's skill at a scale gives each image its chance to be right.
    """

    def __init__(self, images=400, seed=0, leaked=0, classes=CLASSES):
        self.rng = np.random.default_rng(seed)
        self.classes = classes
        self.labels = self.rng.integers(0, len(classes), images)
        self.hard = self.rng.normal(0, 1.5, images)
        self.clean = np.ones(images, dtype=bool)
        self.clean[:leaked] = False

    def correct(self, skill, shift=0.02):
        chance = 1 / (1 + np.exp(-(skill + self.rng.normal(0, shift) - self.hard)))
        return self.rng.random(len(self.hard)) < chance

    def save(self, root, skill, **fields):
        return save(root, self.correct(skill), self.labels, self.clean, self.classes,
                    noise=int(self.rng.integers(1 << 30)), **fields)  # fmt: skip


ORACLE = {
    "method": "oracle",
    "kind": "oracle",
    "scale": 1,
    "cost": {"train_seconds": 0.0},
}
SKILLS = {
    "enlarge": (0.4, -0.9, -1.9),
    "direct": (0.8, 0.3, -0.4),
    "multires": (0.8, 0.25, -0.3),
    "gmenet": (0.9, 0.4, -0.2),
}


def fill(
    root,
    images=400,
    seeds=(0, 1, 2),
    scales=(2, 4, 8),
    leaked=30,
    dataset="faces",
    synthetic=False,
    skills=SKILLS,
    protocols=("bicubic@1",),
    oracle=1.1,
    world_seed=0,
):
    """A whole small benchmark: the oracle and some methods at some scales."""
    world = World(images, world_seed, leaked)
    common = {"dataset": dataset, "synthetic": synthetic}
    for seed in seeds:
        key = hashlib.sha256(f"hr{seed}".encode()).hexdigest()
        stages = {"classifier": StagePart(key=key, method="classifier", train_seconds=900.0)}
        if oracle is not None:
            world.save(root, oracle, seed=seed, stages=stages, **ORACLE, **common)
        for protocol in protocols:
            for place, (name, skill) in enumerate(skills.items()):
                price = {"macs": 20_000_000 + 9_000_000 * place, "latency_ms": 2.5 + 1.5 * place}
                fields = {"method": name, "protocol": protocol, "seed": seed, "cost": price}
                if name == "enlarge":
                    fields |= {"train_scales": [], "stages": stages}
                if name == "multires":
                    fields |= {"train_scales": [1, *scales]}
                for k, scale in enumerate(scales):
                    world.save(root, skill[k], scale=scale, **fields, **common)
    return world


def plain_metric(logits, labels):
    """A metric as a package may have it, without any decorator: accuracy."""
    return (logits.argmax(1) == labels).mean()
