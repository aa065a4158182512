"""Stages: models that methods share. A stage is a method like any other; others just name it in their `needs`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lrfer_bench.api import Batch, Method, Task, build_classifier, register_method


@register_method("classifier")
class Classifier(Method):
    """A classifier of enlarged faces. Trained at HR it is the frozen judge, teacher or feature extractor of others.

    arch: "lean", "lean2", a timm name, or "preset" for the preset's; pretrained: load timm's weights;
    input_size: side in pixels that a timm network is fed (0: the HR size).
    """

    def __init__(self, task: Task, *, arch: str = "preset", pretrained: bool = False, input_size: int = 0) -> None:
        super().__init__(task)
        self.arch, self.input_size = arch, input_size
        preset = task.preset
        self.net = build_classifier(
            preset.classifier if arch == "preset" else arch, task.classes, task.channels,
            task.input_size, dropout=preset.dropout, pretrained=pretrained, input_size=input_size,
        )  # fmt: skip

    def forward(self, lr: Tensor) -> Tensor:
        return self.net(self.enlarge(lr))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        return {"ce": self.cross_entropy(self.net(self.enlarged(batch)), batch)}


def classifier_of(stages: Any) -> Classifier:
    """The stage named "classifier", with its type."""
    stage = stages["classifier"]
    assert isinstance(stage, Classifier)
    return stage
