"""From a record and the weights beside it to a trained method that answers for anybody's faces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from lrfer_bench.contract.labels import label_of
from lrfer_bench.contract.method import Method
from lrfer_bench.contract.preset import PRESETS
from lrfer_bench.contract.protocol import HR
from lrfer_bench.data.cache import default_cache, open_prepared
from lrfer_bench.errors import RecordError, UserError
from lrfer_bench.pixels import resize
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import Cell, DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.handover import FOLDER
from lrfer_bench.plugins.registry import METHODS, load_plugin
from lrfer_bench.running.evaluate import predict
from lrfer_bench.running.models import ModelMissing, cell_method, model_facts, read_models
from lrfer_bench.scoring.metrics import log_softmax
from lrfer_bench.store.store import Record, Store

ANY_SIZE = (1, 1 << 20, 1 << 20)


@dataclass(frozen=True)
class Predictor:
    """A trained cell. Images are uint8 [B, C, h, w], numpy or torch, of `channels` and `lr_size`.

    classes: what the columns of its answers mean
    channels, hr_size, lr_size: colour channels; height and width in pixels of the HR faces and of the LR ones it is asked about
    record: the cell's record; method: the trained torch module
    """

    record: Record
    classes: tuple[str, ...]
    channels: int
    hr_size: tuple[int, int]
    lr_size: tuple[int, int]
    method: Method
    device: torch.device

    def __call__(self, images: ArrayLike | torch.Tensor) -> NDArray[np.float32]:
        """Logits, float32 [B, classes]. UserError for images of another type, shape or size."""
        return predict(self.method, self._checked(images), len(self.classes), self.device)

    def probabilities(self, images: ArrayLike | torch.Tensor) -> NDArray[np.float32]:
        """Softmax of the logits, float32 [B, classes]; rows sum to 1."""
        return np.exp(log_softmax(self(images).astype(np.float64))).astype(np.float32)

    def classify(self, images: ArrayLike | torch.Tensor) -> list[str]:
        """The name of the most probable class of each face."""
        return [self.classes[index] for index in self(images).argmax(1)]

    def degrade(self, hr: ArrayLike | torch.Tensor, seed: int = 0) -> NDArray[np.uint8]:
        """LR faces uint8 [B, C, *lr_size] of HR ones uint8 [B, C, H, W] of any size, under the protocol tested on.

        They are first brought to hr_size by antialiased bicubic. seed: for protocols that draw noise.
        """
        images = torch.from_numpy(_uint8(hr, self.channels))
        images = resize(images, self.hr_size)
        if self.record.test.scale == 1:
            return images.numpy()
        seeds = torch.arange(len(images), dtype=torch.int64) + seed
        return protocol_of(self.record.test.protocol).apply(images, self.record.test.scale, seeds).numpy()

    def _checked(self, images: ArrayLike | torch.Tensor) -> NDArray[np.uint8]:
        array = _uint8(images, self.channels)
        if array.shape[2:] != self.lr_size:
            height, width = self.lr_size
            raise UserError(
                f"the images are {array.shape[3]}x{array.shape[2]} pixels, but this model was tested at {width}x{height}: "
                "resize them, or make LR faces of HR ones with degrade()"
            )
        return array


def _uint8(images: ArrayLike | torch.Tensor, channels: int) -> NDArray[np.uint8]:
    array = images.cpu().numpy() if isinstance(images, torch.Tensor) else np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 4 or array.shape[1] != channels or not len(array):
        raise UserError(
            f"the images are {array.dtype} of shape {list(array.shape)}: give uint8 [B, {channels}, h, w], B of 1 or more"
        )
    return np.array(array, order="C")  # a copy: torch warns of arrays that it could not write to


def find_record(store: Store, key: str) -> Record:
    """The one finished record whose key starts so, or whose file is called so; else a UserError."""
    head = key.rpartition("_")[2].removesuffix(".json")
    if not re.fullmatch("[0-9a-f]+", head):
        raise UserError(
            f'no record in {store.records} has the key "{key}": a key is hexadecimal, of 0-9 and a-f; '
            "lrfer_bench.load_results() lists the keys"
        )
    found = [r for r in store.scan() if isinstance(r, Record) and r.key.startswith(head)]
    if not found:
        raise UserError(
            f'no record in {store.records} has a key that starts with "{head}": lrfer_bench.load_results() lists the keys'
        )
    if len(found) > 1:
        raise UserError(f'{len(found)} records have keys that start with "{head}": give more of the key')
    if found[0].failure:
        raise UserError(f"the cell {found[0].stem} failed, so there is no model of it: {found[0].failure.sentence}")
    return found[0]


def open_predictor(key: str, results: Path, device: str = "cpu") -> Predictor:
    """See library.load_model."""
    store = Store(results)
    if not store.records.is_dir():
        raise UserError(f"there is no results folder {results}: check its name")
    return predictor_of(find_record(store, key), store, device)


def predictor_of(record: Record, store: Store, device: str = "cpu") -> Predictor:
    """Plan the record's cell again; only when its key comes out the same are the weights its own."""
    _bring_plugin(record, store)
    plan, cell = _cell_of(record, store, ANY_SIZE)  # keys do not depend on the size, so they can be known before it is
    plan, cell = _cell_of(record, store, _image(record, store, plan.needed_for(cell)))
    try:
        models = read_models(store, plan, plan.needed_for(cell))
    except ModelMissing as error:
        raise UserError(
            f"the weights {error.path} are missing or damaged: records travel without them; "
            "run the cell here with --overwrite always, or copy the folder models/ as well"
        ) from error
    where = torch.device(device)
    method = cell_method(cell, models, where)
    data = cell.data
    return Predictor(
        record, data.classes, data.channels, data.size, cell.lr_size, method, where
    )


def _bring_plugin(record: Record, store: Store) -> None:
    """A class that run() handed over from a script is found again in the results folder."""
    if record.method.name in METHODS.names():
        return
    name, _, digest = record.method.source.partition(" sha256:")
    file = store.root.resolve() / FOLDER / digest / name
    if digest and file.is_file():
        load_plugin(file)
        return
    raise UserError(
        f'the method "{record.method.name}" of {record.stem} came from {record.method.source}, which is not here: '
        "install it, or give its file with --plugin (plugins=[...] in Python)"
    )


def _image(record: Record, store: Store, keys: list[str]) -> tuple[int, int, int]:
    """Channels, height and width of the HR faces: kept with the weights, else in the cache of prepared data sets."""
    for key in keys:
        image = model_facts(store, key).get("image")
        if image:
            return image[0], image[1], image[2]
    for folder in (default_cache() / "datasets").glob(f"*-{record.dataset.fingerprint[:16]}"):
        faces = open_prepared(folder).faces
        return faces.channels, *faces.size
    if all((store.models / f"{key}.safetensors").is_file() for key in keys):
        raise UserError(
            f"the size of the faces that {record.stem} was made for is not known: neither {store.models} nor the cache "
            f'{default_cache()} tells it; prepare its data set with "lrfer-bench datasets prepare {record.dataset.name}", or '
            "give the same lrfer-bench run command once more"
        )
    raise UserError(
        f"the weights of {record.stem} are not in {store.models}: records travel without them; run the cell here with "
        "--overwrite always, or copy the folder models/ as well"
    )


def _cell_of(record: Record, store: Store, image: tuple[int, int, int]) -> tuple[Plan, Cell]:
    """The plan in which the record's key comes out the same; UserError when it does in none."""
    preset = PRESETS.get(record.preset.partition("@")[0])
    if preset is None or preset.id != record.preset:
        raise RecordError(
            f"the preset {record.preset} of {record.stem} is not in this lrfer-bench: use the one it came from"
        )
    channels, *size = image
    part = record.dataset
    data = DataRef(part.name, part.fingerprint, "", tuple(part.classes), channels, (size[0], size[1]), part.synthetic)
    trained = record.test.protocol if record.train.protocol == HR else record.train.protocol
    problem: UserError | None = None
    for label, settings in _requests(record, store):
        try:
            plan = build_plan(Request(
                methods=[label], scales=record.train.scales or [record.test.scale], preset=preset,
                protocols=[trained], test_protocols=[record.test.protocol], test_scales=[record.test.scale],
                seeds=[record.seed], settings=settings,
            ), data)  # fmt: skip
        except UserError as error:
            problem = problem or error  # the first request is the plainest, so its complaint is the one to show
            continue
        if record.key in plan.cells:
            return plan, plan.cells[record.key]
    now = METHODS.entry(record.method.name).source
    raise problem or UserError(
        f"{record.stem} was made by other code or settings than those here (the record: {record.method.source}, version "
        f"{record.method.version}; here: {now}): use the version it came from, or run the cell again with --overwrite always"
    )


def _requests(record: Record, store: Store) -> Iterator[tuple[str, dict[str, Mapping[str, Any]]]]:
    """The ways in which the cell may have been asked for: (method, settings by method). The key says which it was."""
    name, own = record.method.name, record.method.settings
    below = _stage_settings(record, store)
    yield name, {name: own}
    yield name, {**below, name: own}  # by --set, for stages too
    yield label_of(name, own), below  # in brackets: these do not reach a stage of the same method


def _stage_settings(record: Record, store: Store) -> dict[str, Mapping[str, Any]]:
    """Method -> the changed settings that all stages of it have in common; models of before they were kept have none."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [stage.key for stage in record.stages.values()]
    while waiting:
        meta = model_facts(store, waiting.pop())
        method, settings = meta.get("method", ""), meta.get("settings", {})
        known = found.get(method, settings)
        found[method] = {name: value for name, value in settings.items() if name in known and known[name] == value}
        waiting += meta.get("stages", {}).values()
    return {method: settings for method, settings in found.items() if settings}
