"""Finished models on disk: <key>.safetensors and, written last, <key>.json with what the training cost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lrfer_bench.files import write_atomically
from lrfer_bench.planning.plan import Training
from lrfer_bench.running.jobs import Model
from lrfer_bench.store.store import Store


def _paths(store: Store, key: str) -> tuple[Path, Path]:
    return store.models / f"{key}.safetensors", store.models / f"{key}.json"


def save_model(store: Store, model: Model) -> None:
    """Weights first, meta data last: a model on disk is always whole."""
    weights, meta = _paths(store, model.training.key)
    write_atomically(weights, model.weights)
    content = {**model.meta, **_to_build_again(model.training), "sha256": hashlib.sha256(model.weights).hexdigest()}
    write_atomically(meta, (json.dumps(content, indent=1) + "\n").encode())


def _to_build_again(training: Training) -> dict[str, Any]:
    """What a predictor has to know and no record says: the HR faces' shape, the changed settings, the stages' keys."""
    image = [training.data.channels, *training.data.size]
    return {"image": image, "settings": dict(training.method.given), "stages": dict(training.stages)}


def has_model(store: Store, key: str) -> bool:
    return all(path.is_file() for path in _paths(store, key))


def read_model(store: Store, training: Training) -> Model | None:
    """The finished model of a training, or None where there is none or its files do not belong together."""
    weights, meta = _paths(store, training.key)
    try:
        data, content = weights.read_bytes(), json.loads(meta.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if content.get("key") != training.key or content.pop("sha256", "") != hashlib.sha256(data).hexdigest():
        return None
    return Model(training, data, content)
