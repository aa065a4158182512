"""What a worker does: train a model, test a cell, and say in a sentence what went wrong."""

from __future__ import annotations

import hashlib
import traceback
from functools import lru_cache, partial
from pathlib import Path

import safetensors.torch
import torch

from lrfer_bench.contract.faceset import SPLITS
from lrfer_bench.contract.method import Batch, Method
from lrfer_bench.data.cache import Prepared, open_prepared
from lrfer_bench.data.lowres import image_seeds, lr_images
from lrfer_bench.errors import CellError, UserError
from lrfer_bench.keys import seed_for
from lrfer_bench.planning.plan import Training
from lrfer_bench.plugins.blame import own_place, place_of
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running import cost
from lrfer_bench.running.evaluate import predict
from lrfer_bench.running.jobs import Job, TestJob, TrainJob
from lrfer_bench.running.models import (
    Model,
    TrainingCost,
    build_on_stages,
    cell_method,
    load_model,
)
from lrfer_bench.running.records import finished_record
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import Record
from lrfer_bench.training.arithmetic import arithmetic_of
from lrfer_bench.training.batches import BatchSource, gather, make_batch
from lrfer_bench.training.loop import Teller, train, validator

VALIDATION_BATCH = 256
TRAINED_ON = ("train", "val")
"""The splits that a training opens: it has no way to a test face."""


def run_training(job: TrainJob, tell: Teller = lambda told: None) -> Model:
    """Train to the end and return the kept weights with their cost.

    Training goes on from the checkpoint where there is one.
    """
    return train_here(job, tell)[0]


def train_here(job: TrainJob, tell: Teller = lambda told: None) -> tuple[Model, Method]:
    """run_training(), and the method as it stands in memory afterwards."""
    training, device = job.training, torch.device(job.device)
    cost.reset_peak_memory()
    prepared = prepared_data(training.data.directory, TRAINED_ON)
    # Everything that is random in building the method comes from its key.
    torch.manual_seed(seed_for(training.key, "init"))
    method = build_on_stages(training, lambda key: load_model(key, job.models, device), device)
    before = {name: stage_bytes(stage) for name, stage in method.task.stages.items()}
    source = batch_source(training, prepared, device)
    held_out = lru_cache(maxsize=1)(partial(validation_batches, prepared, training, device))
    checkpoint = Path(job.checkpoint) if job.checkpoint else None
    trained = train(method, source, validator(held_out), checkpoint, tell, job.least)
    # Other cells share these stages: one that was changed would make their results depend on the
    # order of runs.
    for name, stage in method.task.stages.items():
        if stage_bytes(stage) != before[name]:
            raise CellError(
                f'{type(method).__name__} changed its stage "{name}", which other cells share: '
                "use it under torch.no_grad() and leave it in eval mode"
            )
    spent = TrainingCost(
        round(trained.seconds, 3), trained.rule, trained.epoch, trained.epochs, trained.history,
        round(cost.peak_memory_mb(), 1), arithmetic_of(device),
    )  # fmt: skip
    weights = {name: value.contiguous() for name, value in trained.weights.items()}
    return Model(training, safetensors.torch.save(weights, {"key": training.key}), spent), method


def batch_source(training: Training, prepared: Prepared, device: torch.device) -> BatchSource:
    """The training split under the condition of a training."""
    condition, preset = training.condition, training.preset
    return BatchSource(
        prepared.faces.train, protocol_of(condition.protocol), condition.scales, preset.batch,
        preset.shift, training.key, device, preset.flips,
    )  # fmt: skip


def run_test(job: TestJob) -> tuple[Record, Logits]:
    """Show the LR test images to the method; the record says what it answered and what it cost."""
    cell, device = job.cell, torch.device(job.device)
    cost.reset_peak_memory()
    prepared = prepared_data(cell.data.directory)
    method = cell_method(cell, job.models, device)
    images = lr_images(prepared, "test", cell.tested)
    logits = predict(method, images, len(cell.data.classes), device)
    faces = prepared.faces
    answers = Logits(logits, faces.test.labels, ~faces.leaked["test"])
    one_face = gather(images, [0]).to(device)
    return finished_record(cell, answers, job.models, method, one_face), answers


def result_of(job: Job, tell: Teller = lambda told: None) -> Model | tuple[Record, bytes]:
    """Do a job. Logits are compressed here, so that the main process serves many workers."""
    if isinstance(job, TrainJob):
        return run_training(job, tell)
    record, answers = run_test(job)
    return record, answers.to_bytes()


def failure_of(error: BaseException, job: Job) -> tuple[str, str]:
    """(one sentence, traceback) for what went wrong in a job.

    The sentence ends with a line of the author's file.
    """
    label = job.label
    if isinstance(error, CellError):
        return f"{label}: {error} ({author_place(job, error.function)})", ""
    if isinstance(error, UserError):
        return f"{label}: {error}", ""
    trace = "".join(traceback.format_exception(error))
    place = own_place(error) or author_place(job)
    return f"{label}: {type(error).__name__}: {error} ({place})", trace


def author_place(job: Job, function: str = "") -> str:
    """file:line of one of the method's functions.

    Default: what the harness calls, losses when training, forward when testing.
    """
    training = isinstance(job, TrainJob)
    name = job.training.method.name if isinstance(job, TrainJob) else job.cell.method.name
    try:
        return place_of(METHODS.load(name), function or ("losses" if training else "forward"))
    except UserError:
        return "its code cannot be imported"


def stage_bytes(stage: Method) -> bytes:
    """A fingerprint of a stage's weights and buffers, and of those it rests on."""
    digest = hashlib.sha256()
    for value in stage.state_dict().values():
        content = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        digest.update(content.numpy().tobytes())
    for below in stage.stages.values():
        digest.update(stage_bytes(below))
    return digest.digest()


@lru_cache(maxsize=4)
def prepared_data(directory: str, splits: tuple[str, ...] = SPLITS) -> Prepared:
    """The prepared data set of a folder, opened once a process."""
    return open_prepared(Path(directory), splits)


def validation_batches(
    prepared: Prepared, training: Training, device: torch.device
) -> list[tuple[Batch, torch.Tensor]]:
    """The validation split, each face at one of the training's scales in turn.

    With each batch comes a mask of the rows that count. Rows that also stand in train are masked
    out: they would reward memory.
    """
    split, leaked = prepared.faces.val, prepared.faces.leaked["val"]
    condition = training.condition
    protocol = protocol_of(condition.protocol)
    batches = []
    for turn, scale in enumerate(condition.scales):
        rows = torch.arange(turn, len(split), len(condition.scales))
        seeds = image_seeds(prepared.fingerprint, "val", scale, len(split))[rows]
        for at in range(0, len(rows), VALIDATION_BATCH):
            part = rows[at : at + VALIDATION_BATCH]
            hr, labels = gather(split.images, part), torch.from_numpy(split.labels[part.numpy()])
            scales = torch.full((len(part),), scale)
            drawn = seeds[at : at + VALIDATION_BATCH]
            batch = make_batch(hr, labels, scales, drawn, protocol, None, device)
            batches.append((batch, torch.from_numpy(~leaked[part.numpy()])))
    return batches
