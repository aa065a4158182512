"""Methods that restore faces: one in a way that can be computed by hand, one in a wrong shape.

And a set not to be shown.
"""

import torch
import torch.nn.functional as F
from torch import nn

from lrfer_bench.api import (
    Dataset,
    DatasetCard,
    FaceSet,
    Method,
    Split,
    register_dataset,
    register_method,
)


@register_method("repeats")
class Repeats(Method):
    """Restores by repeating pixels, a shade brighter; answers by a trained bias."""

    def __init__(self, task, *, shade: int = 1):
        super().__init__(task)
        self.shade = shade
        self.bias = nn.Parameter(torch.zeros(task.classes))

    def forward(self, lr):
        return self.bias.expand(len(lr), -1)

    def losses(self, batch):
        return {"ce": F.cross_entropy(self(batch.hr), batch.label)}

    def restored(self, lr):
        scale = self.task.scales[0]
        return (lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3) + self.shade) / 255


@register_method("restores-badly")
class RestoresBadly(Repeats):
    """Returns the LR face as restored."""

    def restored(self, lr):
        return lr / 255


@register_dataset("private")
class Private(Dataset):
    """Faces that may not be shown."""

    card = DatasetCard(summary="nobody's business")
    needs_root = False

    def sources(self, root):
        return []

    def load(self, root):
        labels = torch.arange(8).remainder(2).numpy()
        images = torch.arange(8 * 8 * 8).remainder(251).to(torch.uint8).reshape(8, 1, 8, 8).numpy()
        return FaceSet(
            "private", ("a", "b"), dict.fromkeys(("train", "val", "test"), Split(images, labels))
        )
