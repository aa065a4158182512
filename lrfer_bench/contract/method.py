"""Method: what the author of a method writes.

The harness owns the loop, the data, the schedule and the checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.contract.cards import MethodCard
from lrfer_bench.contract.optimizers import default_optimizers
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.returned import named_losses
from lrfer_bench.contract.search import Space
from lrfer_bench.errors import UserError
from lrfer_bench.pixels import enlarge, input_side, to_unit


@dataclass(frozen=True)
class Task:
    """What a method is built for.

    classes:  number of expressions, K
    channels: 1 (grey) or 3 (RGB)
    size:     height and width of the HR image in pixels
    scales:   the down-sampling factors it is trained on; (1,) is HR; the tested one where nothing
              is trained
    preset:   the training budget
    stages:   the trained models that `needs` names: frozen, in eval mode; none is trained or stored
              with this method
    class_names: what the K answers mean, in their order
    """

    classes: int
    channels: int
    size: tuple[int, int]
    scales: tuple[int, ...]
    preset: Preset
    stages: Mapping[str, Method] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()

    @property
    def is_hr(self) -> bool:
        """True where the model is trained on HR images only, as a teacher is."""
        return tuple(self.scales) == (1,)

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width in pixels that a network for these faces should work at.

        This is `size` or, where the preset's network_input is "by-scale", what the largest of its
        faces needs. Method.enlarge makes HR-sized faces in both cases: lean and lean2 resize what
        they are given to the size they were built for.
        """
        if self.preset.network_input == "hr":
            return self.size
        height, width = (
            max(input_side(side, scale) for scale in self.scales) for side in self.size
        )
        return height, width


@dataclass(frozen=True)
class Batch:
    """Training faces; every tensor holds the same flip and shift of the same face.

    hr:       uint8 [B, C, H, W]
    label:    int64 [B]
    scale:    int64 [B], the scale each face was drawn for
    lr_parts: scale -> uint8 [b, C, ceil(H/scale), ceil(W/scale)], the faces of that scale in the
              order of the batch
    soft:     float32 [B, K] annotators' distribution, where the data set has one, else None
    """

    hr: Tensor
    label: Tensor
    scale: Tensor
    lr_parts: Mapping[int, Tensor]
    soft: Tensor | None = None

    @property
    def lr(self) -> Tensor:
        """The LR faces, uint8 [B, C, h, w], of a batch of one scale.

        Raises ValueError for a batch that mixes scales.
        """
        if len(self.lr_parts) != 1:
            raise ValueError(
                "this batch mixes scales: use batch.lr_parts, or Method.enlarged(batch)"
            )
        return next(iter(self.lr_parts.values()))

    def places(self) -> dict[int, Tensor]:
        """Scale -> int64 [b], where the faces of lr_parts[scale] stand in the batch, in order.

        A GPU does not have to wait for it, as it would for the count of a mask.
        """
        scales = sorted(self.lr_parts)
        counts = [len(self.lr_parts[scale]) for scale in scales]
        order = self.scale.argsort(stable=True)
        return dict(zip(scales, order.split(counts), strict=True))


@dataclass(frozen=True)
class Need:
    """A stage that a method asks for: another method's model.

    at:       "hr": trained on HR; "lr": trained as the cell itself is
    settings: what the stage is built with, over its defaults; they win over --set
    scales:   exactly these training scales, whatever `at` says; 1 is HR
    """

    method: str
    at: Literal["hr", "lr"]
    settings: Mapping[str, Any] = field(default_factory=dict)
    scales: tuple[int, ...] = ()

    def trained_at(self, cell: tuple[int, ...]) -> tuple[int, ...]:
        """The stage's training scales, for a method that is itself trained at these."""
        return tuple(sorted(set(self.scales))) or ((1,) if self.at == "hr" else cell)

    @staticmethod
    def parse(text: str) -> Need:
        """From the short form "classifier@hr" or "superres@lr"; UserError for another."""
        method, _, at = text.partition("@")
        if at == "hr":
            return Need(method, "hr")
        if at == "lr":
            return Need(method, "lr")
        raise UserError(f'the stage "{text}" is not understood: write METHOD@hr or METHOD@lr')


class Method(nn.Module):
    """A trainable thing that answers expression logits for LR images.

    Write __init__ (call super().__init__(task) first; settings are keyword arguments with
    defaults), forward, and losses. A setting `epochs="1x"` is the training budget, which the
    harness reads (contract/budget.py).

    version: raise it when the same settings would give another result
    added:   settings that came after results were published: at their default they are in no key
    search:  setting -> LogUniform or Choice: what may be tried when the method is tuned
    needs:   stages, each trained once and shared by all cells that name it: {"teacher":
             "classifier@hr"}
    trains:  "each scale": a model a scale; "all scales": one model for all; "nothing": only its
             stages are trained
    with_hr: an "all scales" method that also wants scale 1 (HR images) among its training scales
    tests:   "lr"; or "hr" for a ceiling that is not an LR method
    answers: "logits"; or "images" for a stage, such as a super-resolver, whose forward gives
             something else
    test_time_augmentation: a sentence, when forward looks at more than the one view it is given
    channels_last: how weights of four axes and enlarged faces lie in memory; False for code that
             calls view() on maps, which is slower
    """

    card: ClassVar[MethodCard]
    version: ClassVar[str] = "1"
    added: ClassVar[tuple[str, ...]] = ()
    search: ClassVar[Mapping[str, Space]] = {}
    needs: ClassVar[Mapping[str, str]] = {}
    trains: ClassVar[Literal["each scale", "all scales", "nothing"]] = "each scale"
    with_hr: ClassVar[bool] = False
    tests: ClassVar[Literal["lr", "hr"]] = "lr"
    answers: ClassVar[Literal["logits", "images"]] = "logits"
    test_time_augmentation: ClassVar[str | None] = None
    channels_last: ClassVar[bool] = True

    scaler: torch.amp.GradScaler | None = None
    """What scales gradients in fp16; the harness sets it."""

    progress: float = 0.0
    """How much of the training budget is spent, 0..1; the harness sets it before each update()."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task
        self.stages: Mapping[str, Method] = dict(task.stages)

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """The stages under these (canonical) settings, with defaults filled in.

        hr is True when training on HR only. Override where a setting decides what is needed; the
        default reads `needs`.
        """
        return {name: Need.parse(text) for name, text in cls.needs.items()}

    @classmethod
    def canonical_settings(cls, settings: Mapping[str, Any], preset: Preset) -> Mapping[str, Any]:
        """The settings as keys, records and needs_for() see them.

        __init__ still gets what the user wrote. Override where what is written is not what takes
        effect: a file's content (content_of) in place of its path, the preset's choice in place of
        "preset". A content comes to __init__ as a path again. A UserError raised here stops a run
        before it starts.
        """
        return settings

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """Lines worth showing before a run that trains this method under these settings.

        task has its stages, untrained, since a file may have to fit them. A UserError raised here
        stops a run before it starts: for what only a look at the faces' size, at a stage or at a
        file tells.
        """
        return []

    def forward(self, lr: Tensor) -> Tensor:
        """Logits float [B, K] for LR faces uint8 [B, C, h, w] at their native size.

        Nothing else is given at test time.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a forward(self, lr)")

    def restored(self, lr: Tensor) -> Tensor | None:
        """The HR faces that a super-resolving method makes on its way, or None if it makes none.

        float [B, C, H, W], shown clipped to 0..1. Optional, for pictures only (`lrfer-bench faces
        --restored`): it changes no key and no result.
        """
        return None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Named losses of a batch, finite tensors of one element.

        Their sum is minimised; each is shown and recorded. A Python number is refused: leave out
        what is not used.
        """
        raise NotImplementedError(
            f"{type(self).__name__} needs losses(self, batch), or its own update(self, batch, ...)"
        )

    def cross_entropy(self, logits: Tensor, batch: Batch, rows: Tensor | None = None) -> Tensor:
        """Cross-entropy of logits [B, K] with the preset's label smoothing, batch mean.

        For use in losses(). It is taken against the labels, or against the annotators' votes where
        the preset's targets are "soft"; ValueError for a batch that has none.
        rows: int64 [b], which faces of the batch logits [b, K] are of; None: all, in order
        """
        preset = self.task.preset
        target = batch.soft if preset.targets == "soft" else batch.label
        if target is None:
            raise ValueError('this batch has no votes: train with the targets "majority"')
        if rows is not None:
            target = target[rows]
        return F.cross_entropy(logits, target, label_smoothing=preset.label_smoothing)

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers, by name.

        The preset's schedule scales the learning rates of each; the rates set here are the peak.
        A scheduler of torch's beside it is refused.
        Default: those of the preset, see default_optimizers().
        """
        return default_optimizers(self, self.task.preset)

    def update(
        self, batch: Batch, optimizers: Mapping[str, torch.optim.Optimizer]
    ) -> dict[str, Tensor]:
        """One training step; returns the losses by name, detached, one number each.

        Override for two optimisers (a GAN); the default does the usual.
        """
        losses = named_losses(self.losses(batch), "losses")
        total = torch.stack([loss.reshape(()) for loss in losses.values()]).sum()
        self.descend(total, *optimizers.values())
        return {name: loss.detach() for name, loss in losses.items()}

    def descend(self, loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
        """One step of these optimisers down the gradient of a loss, a tensor of one element.

        An update() of your own calls it in place of backward() and step(): it knows the precision
        of the training, and scales the gradients where that asks for it (fp16).
        """
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        with torch.autocast(loss.device.type, enabled=False):
            if self.scaler is None:
                loss.backward()
                for optimizer in optimizers:
                    optimizer.step()
                return
            self.scaler.scale(loss).backward()
            moved = [optimizer for optimizer in optimizers if _has_gradient(optimizer)]
            for optimizer in moved:  # the scaler refuses one that has nothing to do
                self.scaler.step(optimizer)
            if moved:
                self.scaler.update()

    def score(self, batch: Batch) -> Tensor:
        """What a validation face is worth, float [B]: 1 where the answer is right, else 0.

        Higher is better. The harness calls it with batches of one scale. A stage that answers no
        logits overrides it (a super-resolver: PSNR).
        """
        return (self(batch.lr).argmax(1) == batch.label).to(torch.float32)

    def after_training(self, batches: Any) -> None:
        """Called once when the last epoch is done; for closed-form parts.

        batches: an iterable of un-augmented training batches.
        """

    def enlarge(self, lr: Tensor) -> Tensor:
        """LR uint8 [B, C, h, w] -> float [B, C, H, W] in 0..1 at HR size.

        Bicubic interpolation, rounded to uint8.
        """
        return enlarge(lr, self.task.size, self.channels_last)

    def enlarged(self, batch: Batch) -> Tensor:
        """The LR faces of a batch of any scales, enlarged: float [B, C, H, W] in 0..1.

        They come in the order of the batch.
        """
        if len(batch.lr_parts) == 1:
            return self.enlarge(batch.lr)
        out = torch.empty(batch.hr.shape, dtype=torch.float32, device=batch.hr.device)
        for scale, places in batch.places().items():
            out[places] = self.enlarge(batch.lr_parts[scale])
        return out

    def unit(self, hr: Tensor) -> Tensor:
        """uint8 -> float in 0..1, in the memory format that convolutions like."""
        return to_unit(hr, self.channels_last)


def _has_gradient(optimizer: torch.optim.Optimizer) -> bool:
    """Whether a loss reached any of its parameters."""
    groups = optimizer.param_groups
    return any(weight.grad is not None for group in groups for weight in group["params"])
