"""QualNet: an LR network has to make a map from which a decoder of HR maps draws the HR face."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from lrfer_bench.api import Batch, Choice, LogUniform, Need, Task, register_method
from lrfer_bench.methods.stages import Classifier, map_shapes

WIDEST, NARROWEST = 128, 16


@register_method("qualnet")
class QualNet(Classifier):
    """Trained at one scale; its teacher is the same network with a decoder, trained on HR faces.

    pixel:      weight of the L1 distance to the HR face of what the decoder draws; 0: no teacher
    warm_start: begin with the teacher's weights, not from scratch
    weights:    start from this file, all but the head
    """

    search = {"pixel": LogUniform(0.1, 10.0), "warm_start": Choice(True, False)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """Every pixel weight has the same teacher, whose own is 1; both start alike."""
        if hr or not settings["pixel"]:
            return {}
        own = {"pixel": 1.0, "warm_start": True, "weights": settings["weights"]}
        return {"teacher": Need("qualnet", "hr", own)}

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """As a classifier's; UserError where the preset's hands out no maps to draw from."""
        notes = super().notes_for(settings, task)
        if not task.stages:  # with a teacher, that one was asked
            map_shapes(cls(task, **settings))
        return notes

    def __init__(
        self, task: Task, *, pixel: float = 1.0, warm_start: bool = True, weights: str = ""
    ) -> None:
        super().__init__(task, weights=weights)
        self.pixel = pixel
        with_decoder = task.is_hr and pixel
        self.decoder = (
            Decoder(map_shapes(self)[-1], task.channels, task.size) if with_decoder else None
        )
        if warm_start and task.stages:
            self.net.load_state_dict(teacher_of(self).net.state_dict())

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        features = self.net.maps(self.enlarged(batch))[-1]
        terms = {"ce": self.cross_entropy(self.net.head(features), batch)}
        decoder = teacher_of(self).decoder if self.stages else self.decoder
        if decoder is not None:
            drawn = decoder(features).clamp(0.0, 1.0)
            terms["pixel"] = self.pixel * F.l1_loss(drawn, self.unit(batch.hr))
        return terms


def teacher_of(method: QualNet) -> QualNet:
    """The stage named "teacher", with its type."""
    teacher = method.stages["teacher"]
    assert isinstance(teacher, QualNet)
    return teacher


class Decoder(nn.Module):
    """conv1x1, then steps to twice the size by conv3x3 and pixel shuffle."""

    def __init__(self, features: tuple[int, ...], channels: int, size: tuple[int, int]) -> None:
        """features: channels, height and width of the map; channels, size: of the faces."""
        super().__init__()
        self.size = size
        width, height, breadth = features
        self.map_size = (height, breadth)
        steps = math.ceil(math.log2(max(size[0] / height, size[1] / breadth)))
        layers: list[nn.Module] = [nn.Conv2d(width, WIDEST, 1)]
        width = WIDEST
        for _ in range(steps):
            narrower = max(width // 2, NARROWEST)
            layers += [
                nn.Conv2d(width, 4 * narrower, 3, 1, 1, bias=False),
                nn.PixelShuffle(2),
                nn.BatchNorm2d(narrower),
                nn.ReLU(inplace=True),
            ]
            width = narrower
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Last map [B, C, h, w] -> faces float [B, channels, *size], about 0..1.

        The map of a network that works on fewer pixels is enlarged to what the decoder knows.
        """
        return resized(0.5 + self.layers(resized(features, self.map_size)), self.size)


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """float [B, C, h, w] at another height and width, bilinear; as it is where it has them."""
    if tuple(x.shape[2:]) == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", antialias=True)
