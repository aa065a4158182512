"""The two jobs a worker can do: train a model, test a cell. Plain data in, plain data out; weights travel as bytes."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import safetensors.torch
import torch

from lrfer_bench.contract.method import Batch, Method, Task
from lrfer_bench.contract.protocol import HR
from lrfer_bench.data.cache import Prepared, open_prepared
from lrfer_bench.data.lowres import image_seeds, lr_images
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.keys import seed_for
from lrfer_bench.planning.plan import Cell, MethodRef, Training, protocol_of
from lrfer_bench.plugins.registry import METHODS, own_place
from lrfer_bench.running import cost
from lrfer_bench.running.environment import environment
from lrfer_bench.running.evaluate import predict
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.store import (
    Cost,
    DatasetPart,
    Epoch,
    Failure,
    Logits,
    MethodPart,
    Record,
    SelectionPart,
    StagePart,
    TestPart,
    TrainPart,
)  # fmt: skip
from lrfer_bench.training.batches import BatchSource, gather, make_batch
from lrfer_bench.training.loop import Progress, train, validator

VALIDATION_BATCH = 256


@dataclass(frozen=True)
class Model:
    """A trained model on its way to a worker: what it is, its weights (safetensors) and what its training cost."""

    training: Training
    weights: bytes
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class TrainJob:
    """Train one model. models: every finished model it rests on, by key; checkpoint: where this machine keeps one."""

    training: Training
    models: Mapping[str, Model] = field(default_factory=dict)
    checkpoint: str | None = None
    device: str = "cpu"

    @property
    def key(self) -> str:
        return self.training.key

    @property
    def label(self) -> str:
        scales = ",".join(map(str, self.training.scales))
        where = "HR" if self.training.protocol == HR else f"{self.training.protocol} x{scales}"
        return f"train {self.training.method.name}, {where}, seed {self.training.seed}"


@dataclass(frozen=True)
class TestJob:
    """Test one cell."""

    __test__: ClassVar[bool] = False  # pytest takes a class called Test... for its own

    cell: Cell
    models: Mapping[str, Model] = field(default_factory=dict)
    device: str = "cpu"

    @property
    def key(self) -> str:
        return self.cell.key

    @property
    def label(self) -> str:
        return f"test {self.cell.label}"


def run_training(job: TrainJob, tell: Callable[[Progress], None] = lambda progress: None) -> Model:
    """Train to the end (from the checkpoint where there is one) and return the kept weights with their meta data."""
    return train_here(job, tell)[0]


def train_here(job: TrainJob, tell: Callable[[Progress], None] = lambda progress: None) -> tuple[Model, Method]:
    """run_training(), and the method as it stands in memory afterwards."""
    training = job.training
    device = torch.device(job.device)
    cost.reset_peak_memory()
    prepared = prepared_data(training.data.directory)
    torch.manual_seed(seed_for(training.key, "init"))
    stages = {name: load_model(key, job.models, device) for name, key in training.stages.items()}
    method = build(training.method, _task(training, stages), device)
    protocol = None if training.protocol == HR else protocol_of(training.protocol)
    source = BatchSource(
        prepared.faces.train,
        protocol,
        training.scales,
        training.preset.batch,
        training.preset.shift,
        training.key,
        device,
    )
    checkpoint = Path(job.checkpoint) if job.checkpoint else None
    before = {name: stage_bytes(stage) for name, stage in stages.items()}
    held_out = lru_cache(maxsize=1)(lambda: validation_batches(prepared, training, device))  # made once a training
    trained = train(method, source, validator(held_out), checkpoint, tell)
    for name, stage in stages.items():
        if stage_bytes(stage) != before[name]:
            raise CellError(
                f'{type(method).__name__} changed its stage "{name}", which other cells share: use it under torch.no_grad() '
                "and leave it in eval mode"
            )
    meta = {
        "key": training.key, "method": training.method.name, "seconds": round(trained.seconds, 3),
        "rule": trained.rule, "epoch": trained.epoch, "epochs": trained.epochs, "history": trained.history,
        "peak_memory_mb": round(cost.peak_memory_mb(), 1),
    }  # fmt: skip
    weights = {name: value.contiguous() for name, value in trained.weights.items()}
    return Model(training, safetensors.torch.save(weights, {"key": training.key}), meta), method


def run_test(job: TestJob) -> tuple[Record, Logits]:
    """Show the LR test images to the method and make the record of what it answered and what it cost."""
    cell, device = job.cell, torch.device(job.device)
    cost.reset_peak_memory()
    prepared = prepared_data(cell.data.directory)
    method = cell_method(cell, job.models, device)
    images = lr_images(prepared, "test", cell.test_protocol, cell.test_scale)
    labels = prepared.faces.test.labels
    answers = Logits(predict(method, images, len(cell.data.classes), device), labels, ~prepared.faces.leaked["test"])
    record = draft(cell).model_copy(update={
        "status": "finished", "metrics": score(answers.logits, answers.labels, answers.clean),
        "cost": _cost(job, method, gather(images, [0]).to(device)), **_training_parts(cell, job.models),
        "environment": environment(),
    })  # fmt: skip
    return record, answers


def failed_record(cell: Cell, sentence: str, trace: str = "") -> Record:
    """The record of a cell that could not be finished."""
    failure = Failure(sentence=sentence, traceback=trace)
    return draft(cell).model_copy(update={"failure": failure, "environment": environment()})


def failure_of(error: BaseException, job: TrainJob | TestJob) -> tuple[str, str]:
    """(one sentence, traceback) for anything that went wrong in a job; the sentence ends with a line of the author's file."""
    label = job.label
    if isinstance(error, CellError):
        return f"{label}: {error} ({author_place(job)})", ""
    if isinstance(error, UserError):
        return f"{label}: {error}", ""
    trace = "".join(traceback.format_exception(error))
    return f"{label}: {type(error).__name__}: {error} ({own_place(error) or author_place(job)})", trace


def author_place(job: TrainJob | TestJob) -> str:
    """file:line where the job's method defines what the harness calls: its loss when training, its answer when testing."""
    training = isinstance(job, TrainJob)
    name = job.training.method.name if isinstance(job, TrainJob) else job.cell.method.name
    try:
        return place_of(METHODS.load(name), "losses" if training else "forward")
    except UserError:
        return "its code cannot be imported"


def place_of(cls: type, function: str) -> str:
    """file:line of a function of a class, in whichever class defines it, or of the class itself."""
    code = getattr(getattr(cls, function, None), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else cls.__module__


def stage_bytes(stage: Method) -> bytes:
    """A fingerprint of a stage's weights and buffers, and of those it rests on."""
    digest = hashlib.sha256()
    for value in stage.state_dict().values():
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    for below in stage.stages.values():
        digest.update(stage_bytes(below))
    return digest.digest()


def draft(cell: Cell) -> Record:
    """A record with all that is known before the cell runs."""
    return Record(
        key=cell.key, status="failed", seed=cell.seed, preset=cell.preset.id,
        dataset=DatasetPart(
            name=cell.data.name, fingerprint=cell.data.fingerprint, classes=list(cell.data.classes), synthetic=cell.data.synthetic
        ),
        method=MethodPart(
            name=cell.method.name, version=cell.method.version, settings=dict(cell.method.given), source=cell.method.source,
            kind="oracle" if cell.kind == "oracle" else "lr", test_time_augmentation=cell.test_time_augmentation,
        ),
        train=TrainPart(protocol=cell.train_protocol, scales=list(cell.train_scales)),
        test=TestPart(protocol=cell.test_protocol, scale=cell.test_scale, size_px=cell.size_px),
    )  # fmt: skip


def cell_method(cell: Cell, models: Mapping[str, Model], device: torch.device) -> Method:
    """The trained method of a cell, ready to be asked; one that trains nothing is built on its stages."""
    if cell.training:
        return load_model(cell.training, models, device)
    stages = {name: load_model(key, models, device) for name, key in cell.stages.items()}
    data = cell.data
    task = Task(len(data.classes), data.channels, data.size, (cell.test_scale,), cell.preset, stages)
    return build(cell.method, task, device).eval()


def load_model(key: str, models: Mapping[str, Model], device: torch.device) -> Method:
    """Build a trained method with its stages and give it its weights; frozen and in eval mode."""
    model = models[key]
    training = model.training
    stages = {name: load_model(stage, models, device) for name, stage in training.stages.items()}
    with torch.random.fork_rng(devices=[]):
        method = build(training.method, _task(training, stages), device)
    method.load_state_dict(safetensors.torch.load(model.weights))
    return method.eval().requires_grad_(False)


def build(ref: MethodRef, task: Task, device: torch.device) -> Method:
    """Construct a method under its settings, on its device, in the memory format that convolutions like."""
    cls: type[Method] = METHODS.load(ref.name)
    if dict(cls.canonical_settings(ref.settings, task.preset)) != dict(ref.effective):
        raise UserError(f"a file that the settings of {ref.name} name has changed since the plan was made: run again")
    method = cls(task, **ref.settings)
    return method.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _task(training: Training, stages: Mapping[str, Method]) -> Task:
    data = training.data
    return Task(len(data.classes), data.channels, data.size, training.scales, training.preset, stages)


@lru_cache(maxsize=4)
def prepared_data(directory: str) -> Prepared:
    return open_prepared(Path(directory))


def validation_batches(
    prepared: Prepared, training: Training, device: torch.device
) -> list[tuple[Batch, torch.Tensor]]:
    """The validation split, each face at one of the training's scales in turn, with a mask of the rows that count.

    Rows that also stand in train are masked out: they would reward memory.
    """
    split, leaked = prepared.faces.val, prepared.faces.leaked["val"]
    protocol = None if training.protocol == HR else protocol_of(training.protocol)
    batches = []
    for turn, scale in enumerate(training.scales):
        rows = torch.arange(turn, len(split), len(training.scales))
        seeds = image_seeds(prepared.fingerprint, "val", scale, len(split))[rows]
        for at in range(0, len(rows), VALIDATION_BATCH):
            part = rows[at : at + VALIDATION_BATCH]
            hr, labels = gather(split.images, part), torch.from_numpy(split.labels[part.numpy()])
            scales = torch.full((len(part),), scale)
            batch = make_batch(hr, labels, scales, seeds[at : at + VALIDATION_BATCH], protocol, None, device)
            batches.append((batch, torch.from_numpy(~leaked[part.numpy()])))
    return batches


def _training_parts(cell: Cell, models: Mapping[str, Model]) -> dict[str, Any]:
    """The parts of a record that tell of its training and its stages."""
    stages = {
        name: StagePart(key=key, method=models[key].training.method.name, train_seconds=models[key].meta["seconds"])
        for name, key in cell.stages.items()
    }
    if cell.training is None:
        return {"stages": stages}
    meta = models[cell.training].meta
    history = [
        Epoch(epoch=row["epoch"], seconds=row["seconds"], losses=row["losses"], val_accuracy=row["val_score"])
        for row in meta["history"]
    ]
    selection = SelectionPart(rule=meta["rule"], epoch=meta["epoch"], epochs=meta["epochs"])
    return {"stages": stages, "history": history, "selection": selection}


def _cost(job: TestJob, method: Method, lr: torch.Tensor) -> Cost:
    own = job.models[job.cell.training].meta if job.cell.training else None
    seconds = own["seconds"] if own else 0.0
    return Cost(
        parameters=cost.parameters_used(method, lr), macs=cost.macs_used(method, lr),
        latency_ms=round(cost.latency_ms(method, lr), 4), throughput=round(cost.throughput(method, lr), 2),
        train_seconds=seconds, train_seconds_with_stages=round(sum(model.meta["seconds"] for model in job.models.values()), 3),
        peak_memory_mb=own["peak_memory_mb"] if own else round(cost.peak_memory_mb(), 1),
    )  # fmt: skip
