"""What an exported file says of itself: texts by name, in the metadata that its format has."""

from __future__ import annotations

import json

from lrfer_bench import __version__
from lrfer_bench.contract.cards import DatasetCard, card_of
from lrfer_bench.plugins.registry import DATASETS
from lrfer_bench.predicting.predictor import Predictor
from lrfer_bench.scoring.parts import Metrics
from lrfer_bench.store.names import method_label, trained_on
from lrfer_bench.store.schema import Record


def about(predictor: Predictor) -> dict[str, str]:
    """Name -> text. Lists are JSON; sizes are height and width in pixels."""
    record = predictor.record
    data, method = record.dataset, record.method
    assert record.metrics is not None  # only finished cells have a predictor
    return {
        "made_by": f"lrfer-bench {__version__}",
        "method": method_label(record),
        "stage_settings": json.dumps(method.stage_settings or []),
        "method_version": method.version,
        "method_source": method.source,
        "classes": json.dumps(data.classes),
        "channels": str(predictor.channels),
        "size": json.dumps(list(predictor.lr_size)),
        "hr_size": json.dumps(list(predictor.hr_size)),
        "scale": str(record.test.scale),
        "dataset": data.name,
        "dataset_fingerprint": data.fingerprint,
        "protocol": record.test.protocol,
        "preset": record.preset,
        "seed": str(record.seed),
        "accuracy": f"{record.metrics.all.accuracy:.4f}",
        "test_faces": str(record.metrics.all.n),
        "started_from": json.dumps(method.weights),
        "licence": licence(predictor),
        "record": record.stem,
        "learned_on": predictor.learned_on,
        **_without_leaked(record.metrics.clean),
        **_trained_with(record),
    }


def _without_leaked(clean: Metrics) -> dict[str, str]:
    """Nothing where every test image also stands in train: there is no such accuracy."""
    return {"accuracy_without_leaked": f"{clean.accuracy:.4f}"} if clean.n else {}


def _trained_with(record: Record) -> dict[str, str]:
    """What it learned from here. What existed already learned elsewhere: its file says neither."""
    if record.method.existing:
        return {}
    return {
        "synthetic": str(record.dataset.synthetic).lower(),
        "trained_protocol": record.train.protocol,
        "trained_on": trained_on(record),
    }


def licence(predictor: Predictor) -> str:
    """What binds who passes the file on: the licence of the faces, and of weights before it."""
    data = predictor.record.dataset
    if predictor.record.method.existing:
        return (
            "the model's own, ask its makers: nothing was trained here, only tested on "
            f"{data.name}; written with lrfer-bench (Apache-2.0)"
        )
    said = f"made with lrfer-bench (Apache-2.0); trained on {data.name}: {_licence_of(data.name)}"
    if predictor.record.method.weights:
        names = ", ".join(predictor.record.method.weight_files)
        said += f"; started from {names}, whose licence holds as well"
    return said


def _licence_of(dataset: str) -> str:
    unknown = "licence not known, ask its makers"
    if dataset not in DATASETS.names():
        return unknown
    return card_of(DATASETS.entry(dataset), DatasetCard).licence or unknown
