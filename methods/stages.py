"""Stages: models that methods share.

A stage is a method like any other; others just name it in their `needs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from lrfer_bench.api import (
    Batch,
    ClassifierNet,
    Method,
    Preset,
    Task,
    UserError,
    build_classifier,
    classifier_content,
    lean,
    register_method,
    try_out,
)


@register_method("classifier")
class Classifier(Method):
    """A classifier of enlarged faces.

    Trained at HR it is the frozen judge, teacher or feature extractor of others.

    arch: "lean", "lean2", a timm name, or "preset" for the preset's
    pretrained: start from timm's weights
    input_size: side in pixels that a timm network is fed (0: the HR size)
    epochs: the training budget, a factor of the preset's ("3x") or a number; the harness reads it
    weights: start from this file (.pth, .bin, .safetensors, ...), all but the head
    """

    added = ("weights",)

    @classmethod
    def canonical_settings(cls, settings: Mapping[str, Any], preset: Preset) -> Mapping[str, Any]:
        """What it starts from counts by its content."""
        return classifier_content(settings, preset.classifier)

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """What was taken of its weights; UserError where they or the faces do not fit."""
        arch, weights = settings.get("arch", "preset"), settings.get("weights", "")
        pretrained, input_size = settings.get("pretrained", False), settings.get("input_size", 0)
        name = task.preset.classifier if arch == "preset" else arch
        if input_size and name in lean.SHAPES:
            raise UserError(
                f'the classifier "{name}" works at the size that the preset gives it: leave out '
                "input_size, or choose a timm name as arch"
            )
        if arch == "preset" and not weights and not input_size:
            try_preset_network(task)
            return []
        net = _network(task, arch, pretrained, input_size, weights)
        try_out(net, task.channels, task.size)
        return [net.started] if net.started else []

    def __init__(
        self,
        task: Task,
        *,
        arch: str = "preset",
        pretrained: bool = False,
        input_size: int = 0,
        epochs: str = "1x",
        weights: str = "",
    ) -> None:
        super().__init__(task)
        self.arch, self.input_size = arch, input_size
        self.net = _network(task, arch, pretrained, input_size, weights)

    def forward(self, lr: Tensor) -> Tensor:
        return self.net(self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"ce": self.cross_entropy(self.net(self.enlarged(batch)), batch)}


def try_preset_network(task: Task) -> None:
    """UserError where the classifier of a preset file is none, or does not take these faces."""
    if task.preset.classifier not in lean.SHAPES:
        _tried(task.preset.classifier, task.classes, task.channels, task.input_size, task.size)


@lru_cache(maxsize=64)
def _tried(
    name: str, classes: int, channels: int, at: tuple[int, int], size: tuple[int, int]
) -> None:
    """Remembered, as every method of a plan asks for the same one at each scale."""
    try_out(build_classifier(name, classes, channels, at, dropout=0.0), channels, size)


def _network(
    task: Task, arch: str, pretrained: bool, input_size: int, weights: str
) -> ClassifierNet:
    preset = task.preset
    return build_classifier(
        preset.classifier if arch == "preset" else arch, task.classes, task.channels,
        task.input_size, dropout=preset.dropout, pretrained=pretrained, input_size=input_size,
        weights=weights,
    )  # fmt: skip


def classifier_of(stages: Any) -> Classifier:
    """The stage named "classifier", with its type."""
    stage = stages["classifier"]
    assert isinstance(stage, Classifier)
    return stage


def try_maps(task: Task) -> None:
    """UserError where the stage "classifier" hands out no maps, before hours go into training it.

    A method that works on maps asks this in its notes_for().
    """
    stage = task.stages.get("classifier")
    if isinstance(stage, Classifier):
        map_shapes(stage)


def map_shapes(classifier: Classifier) -> list[tuple[int, ...]]:
    """(channels, height, width) of each of a classifier's maps, for faces at HR size."""
    task, net = classifier.task, classifier.net
    was_training = net.training
    with torch.no_grad():
        maps = net.eval().maps(torch.zeros(1, task.channels, *task.size))
    net.train(was_training)
    return [tuple(m.shape[1:]) for m in maps]
