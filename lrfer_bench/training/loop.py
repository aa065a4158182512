"""The training loop, one for every method.

Its data, order, schedule, checkpoints and stopping are the harness' own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lrfer_bench.contract.method import Batch, Method
from lrfer_bench.contract.returned import named_losses, named_optimizers
from lrfer_bench.errors import CellError
from lrfer_bench.keys import seed_for
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.checkpoint import keep_checkpoint, resume
from lrfer_bench.training.mean import RunningMean, decay_since
from lrfer_bench.training.precision import Precision
from lrfer_bench.training.schedule import one_cycle
from lrfer_bench.training.selection import rule_of
from lrfer_bench.training.stopping import Stopped, last_epoch

State = dict[str, Tensor]
DIVERGED = 1e6
CHECK_EVERY = 10
FETCH_EVERY = 50
"""Steps between two looks at the losses, on a processor and on a GPU, which waits for them."""


@dataclass
class Progress:
    """What a running training tells: epochs done, steps done, the latest losses, faces a second.

    rates: the learning rate of each optimiser, and of each of its groups where there are several
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    losses: dict[str, float]
    faces_per_second: float
    seconds_per_step: float = 0.0
    val_score: float | None = None
    rates: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A sentence that a training has to tell, beside its progress."""

    text: str


Teller = Callable[["Progress | Note"], None]
"""Hears what a running training tells."""


@dataclass
class Trained:
    """A finished training.

    weights: the kept state; history: a row an epoch; seconds: of all epochs, validation included
    """

    weights: State
    history: list[dict[str, Any]]
    rule: str
    epoch: int
    epochs: int
    seconds: float


@dataclass
class _Run:
    """The state that a checkpoint holds."""

    method: Method
    optimizers: dict[str, torch.optim.Optimizer]
    mean: RunningMean | None
    kept: State = field(default_factory=dict)
    kept_epoch: int = 0
    kept_score: float | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def tested(self) -> Method:
        """What validation sees and what is kept."""
        return self.method if self.mean is None else self.mean.method

    def state(self) -> dict[str, Any]:
        return {
            "method": self.method.state_dict(),
            "optimizers": {name: each.state_dict() for name, each in self.optimizers.items()},
            "mean": None if self.mean is None else self.mean.method.state_dict(),
            "scaler": None if self.method.scaler is None else self.method.scaler.state_dict(),
            "kept": self.kept, "kept_epoch": self.kept_epoch, "kept_score": self.kept_score,
            "history": self.history,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        shapes = {name: value.shape for name, value in self.method.state_dict().items()}
        if state["kept"] and shapes != {n: value.shape for n, value in state["kept"].items()}:
            raise ValueError("its kept weights are those of another network")
        self.method.load_state_dict(state["method"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if self.mean is not None:
            self.mean.method.load_state_dict(state["mean"])
        if self.method.scaler is not None:
            self.method.scaler.load_state_dict(state["scaler"])
        self.kept, self.kept_epoch = state["kept"], state["kept_epoch"]
        self.kept_score, self.history = state["kept_score"], state["history"]


def train(
    method: Method,
    source: BatchSource,
    validate: Callable[[Method], float],
    checkpoint: Path | None = None,
    tell: Teller = lambda told: None,
    least: Mapping[int, float] | None = None,
) -> Trained:
    """Train a freshly built method to the end of its preset's budget; return the weights to keep.

    Goes on from the checkpoint where there is one. Raises CellError when a loss becomes NaN or
    infinite, or grows beyond DIVERGED, and for optimisers, losses and networks that cannot be used
    so; Stopped after an epoch whose score is below its least.
    """
    preset = method.task.preset
    optimizers = named_optimizers(method.optimizers(), method)
    run = _Run(method, optimizers, RunningMean(method) if preset.ema else None)
    precision = Precision.of(preset, source.device)
    method.scaler = precision.scaler()
    peaks = {
        name: [group["lr"] for group in opt.param_groups] for name, opt in run.optimizers.items()
    }
    note = resume(checkpoint, source.key, run, source.device) if checkpoint else ""
    if note:
        tell(Note(note))
    for epoch in range(len(run.history), preset.epochs):
        scores = [row["val_score"] for row in run.history]
        if last := last_epoch(scores, least or {}):
            raise Stopped(scores[:last])
        _train_epoch(run, source, epoch, peaks, precision, validate, tell)
        if checkpoint:
            before, note = note, keep_checkpoint(checkpoint, source.key, run, source.device)
            if note and note != before:
                tell(Note(note))
    method.load_state_dict(run.kept)
    method.eval()
    started = time.perf_counter()
    torch.manual_seed(seed_for(source.key, "after"))  # the same after a resume
    method.after_training(source.epoch(preset.epochs, augment=False))
    seconds = sum(row["seconds"] for row in run.history) + time.perf_counter() - started
    return Trained(
        _copy(method), run.history, preset.selection, run.kept_epoch, preset.epochs, seconds
    )


def _train_epoch(
    run: _Run,
    source: BatchSource,
    epoch: int,
    peaks: dict[str, list[float]],
    precision: Precision,
    validate: Callable[[Method], float],
    tell: Teller,
) -> None:
    preset = run.method.task.preset
    steps = preset.epochs * len(source)
    torch.manual_seed(seed_for(source.key, "epoch", epoch))  # dropout: the same after a resume
    started = time.perf_counter()
    sums: dict[str, Tensor] = {}
    every = CHECK_EVERY if source.device.type == "cpu" else FETCH_EVERY
    run.method.train()
    for number, batch in enumerate(source.epoch(epoch)):
        step, last = epoch * len(source) + number, number == len(source) - 1
        run.method.progress = step / steps
        _set_rates(run.optimizers, peaks, one_cycle(run.method.progress, preset.warm_up))
        with precision.autocast():
            losses = named_losses(run.method.update(batch, run.optimizers), "update")
        for name, loss in losses.items():
            # summed where it is: to fetch each one would make a GPU wait
            sums[name] = sums.get(name, torch.zeros(())) + loss.detach().reshape(())
        since = number % preset.ema_every + 1
        if run.mean is not None and (since == preset.ema_every or last):
            run.mean.update(decay_since(preset.ema, step, since))
        if number % every == every - 1 or last:
            means = _means(sums, number + 1, epoch, number)
            pace = (time.perf_counter() - started) / (number + 1)
            rate = source.size / pace
            rates = _rates(run.optimizers)
            tell(Progress(epoch, preset.epochs, step + 1, steps, means, rate, pace, None, rates))
    score = validate(run.tested)
    if rule_of(preset.selection).keeps(epoch + 1, preset.epochs, score, run.kept_score):
        run.kept, run.kept_epoch, run.kept_score = _copy(run.tested), epoch + 1, score
    seconds = round(time.perf_counter() - started, 3)
    run.history.append(
        {"epoch": epoch + 1, "seconds": seconds, "losses": means, "val_score": score}
    )
    tell(Progress(epoch + 1, preset.epochs, step + 1, steps, means, rate, pace, score, rates))


def _means(sums: dict[str, Tensor], count: int, epoch: int, number: int) -> dict[str, float]:
    """Mean losses so far in this epoch, or a CellError that says which one went wrong, and when."""
    summed = torch.stack(list(sums.values())).cpu().to(torch.float64).tolist()
    means = {name: value / count for name, value in zip(sums, summed, strict=True)}
    for name, mean in means.items():
        if not math.isfinite(mean) or abs(mean) > DIVERGED:
            what = f"ran away to {mean:.3g}" if math.isfinite(mean) else "became NaN or infinite"
            raise CellError(
                f'the loss "{name}" {what} in epoch {epoch + 1}, by step {number + 1}: '
                "lower the learning rate or the weight of that loss"
            )
    return means


def _set_rates(
    optimizers: dict[str, torch.optim.Optimizer], peaks: dict[str, list[float]], factor: float
) -> None:
    for name, optimizer in optimizers.items():
        for group, peak in zip(optimizer.param_groups, peaks[name], strict=True):
            group["lr"] = peak * factor


def _rates(optimizers: dict[str, torch.optim.Optimizer]) -> dict[str, float]:
    return {
        name if len(optimizer.param_groups) == 1 else f"{name}.{number}": float(group["lr"])
        for name, optimizer in optimizers.items()
        for number, group in enumerate(optimizer.param_groups)
    }


def _copy(method: Method) -> State:
    return {name: value.detach().cpu().clone() for name, value in method.state_dict().items()}


def validator(batches: Callable[[], list[tuple[Batch, Tensor]]]) -> Callable[[Method], float]:
    """A validate() for train(): the mean of method.score over the rows where the mask is true."""

    return lambda method: float(scores_of(method, batches()).mean())


def scores_of(method: Method, batches: list[tuple[Batch, Tensor]]) -> Tensor:
    """method.score of each face where the mask is true, [N]; in eval mode, and back."""
    was_training = method.training
    method.eval()
    with torch.no_grad():
        scores = torch.cat([method.score(batch).cpu()[mask] for batch, mask in batches])
    method.train(was_training)
    return scores
