"""Made-up records and logits for tests: a world whose true accuracies are known."""

from __future__ import annotations

import hashlib
import json

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


def make_record(
    logits=None,
    *,
    method="direct",
    dataset="faces",
    scale=4,
    seed=0,
    protocol="bicubic@1",
    test_protocol=None,
    train_scales=None,
    settings=None,
    version="1",
    kind="lr",
    preset="cpu@1",
    classes=CLASSES,
    synthetic=False,
    failure=None,
    traceback="",
    tta=None,
    stages=None,
    source="lrfer-bench 0.1.0",
    side=48,
    cost=None,
    epochs=4,
    fingerprint=None,
    key=None,
):
    """A consistent record; finished when logits are given, failed when a failure sentence is."""
    test_protocol = test_protocol or ("hr" if kind == "oracle" else protocol)
    if train_scales is None:
        train_scales = [1] if protocol == "hr" else [scale]
    stages = stages or {}
    identity = [
        method,
        version,
        settings,
        dataset,
        fingerprint,
        scale,
        seed,
        protocol,
        test_protocol,
        train_scales,
        preset,
    ]
    identity += [sorted(s.key for s in stages.values()), source]
    price = {
        "parameters": 690_000,
        "macs": 20_000_000,
        "latency_ms": 2.5,
        "throughput": 900.0,
        "train_seconds": 600.0,
        "train_seconds_with_stages": 600.0 + sum(s.train_seconds for s in stages.values()),
        "peak_memory_mb": 700.0,
    }
    finished = failure is None
    return Record(
        key=key or hashlib.sha256(json.dumps(identity).encode()).hexdigest(),
        status="finished" if finished else "failed",
        dataset=DatasetPart(
            name=dataset,
            fingerprint=fingerprint or hashlib.sha256(dataset.encode()).hexdigest(),
            classes=list(classes),
            synthetic=synthetic,
        ),
        method=MethodPart(
            name=method,
            version=version,
            settings=settings or {},
            source=source,
            kind=kind,
            test_time_augmentation=tta,
        ),
        train=TrainPart(protocol=protocol, scales=train_scales),
        test=TestPart(protocol=test_protocol, scale=scale, size_px=-(-side // scale)),
        seed=seed,
        preset=preset,
        selection=SelectionPart(rule="best-on-val", epoch=epochs, epochs=epochs)
        if finished
        else None,
        stages=stages,
        metrics=score(logits.logits, logits.labels, logits.clean) if finished else None,
        cost=Cost(**(price | (cost or {}))) if finished else None,
        history=[
            Epoch(
                epoch=e,
                seconds=10.0,
                losses={"ce": 2.0 / e, "kd": 1.0 / e},
                val_accuracy=0.3 + 0.05 * e,
            )
            for e in range(1, epochs + 1)
        ],
        environment={
            "python": "3.11.4",
            "torch": "2.14.1",
            "processor": "made up",
            "git_commit": "0" * 40,
        },
        failure=Failure(sentence=failure, traceback=traceback) if failure else None,
    )


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
        hr = StagePart(
            key=hashlib.sha256(f"hr{seed}".encode()).hexdigest(),
            method="classifier",
            train_seconds=900.0,
        )
        if oracle is not None:
            world.save(
                root,
                oracle,
                method="oracle",
                kind="oracle",
                protocol="hr",
                scale=1,
                seed=seed,
                stages={"classifier": hr},
                cost={"train_seconds": 0.0},
                **common,
            )
        for protocol in protocols:
            for place, (name, skill) in enumerate(skills.items()):
                for k, scale in enumerate(scales):
                    fields = {
                        "method": name,
                        "scale": scale,
                        "seed": seed,
                        "protocol": protocol,
                        **common,
                    }
                    if name == "enlarge":
                        fields |= {
                            "protocol": "hr",
                            "test_protocol": protocol,
                            "stages": {"classifier": hr},
                        }
                    if name == "multires":
                        fields |= {"train_scales": [1, *scales]}
                    price = {
                        "macs": 20_000_000 + 9_000_000 * place,
                        "latency_ms": 2.5 + 1.5 * place,
                    }
                    world.save(root, skill[k], cost=price, **fields)
    return world


def plain_metric(logits, labels):
    """A metric as a package may have it, without any decorator: accuracy."""
    return (logits.argmax(1) == labels).mean()
