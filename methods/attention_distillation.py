"""What A-SKD and GME-Net share: attention maps that follow those of a teacher.

The teacher is of the same kind as the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lrfer_bench.api import Batch, Preset, Task, lean
from lrfer_bench.api import losses as shared
from lrfer_bench.methods.stages import try_preset_network
from lrfer_bench.methods.started import Started


class AttentionDistilled(Started):
    """A method whose attention maps follow those of a teacher.

    Subclasses set kd_weight and net (images -> (logits, attention maps)), and say how a teacher's
    maps are made.
    """

    kd_weight: float
    centred: bool = False
    """Compare what is left of each entry of a map without its mean over the batch."""

    net: Any

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """What was taken of its weights; another size than the preset's; no teacher at HR."""
        try_preset_network(task)
        notes = [*super().notes_for(settings, task), *other_size(task.preset)]
        if task.is_hr and settings.get("kd_weight", 1):
            notes.append("at scale 1 there is no teacher, so kd_weight changes nothing there")
        return notes

    def attention_maps(self, images: Tensor) -> list[Tensor]:
        """The maps before their sigmoids, for images float [B, C, H, W] in 0..1.

        The head is not needed for them.
        """
        raise NotImplementedError(f"{type(self).__name__} needs attention_maps(self, images)")

    def forward(self, lr: Tensor) -> Tensor:
        return self.net(self.enlarge(lr))[0]

    def recognition(self, batch: Batch) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The losses that need no teacher, and the attention maps of the enlarged LR faces."""
        logits, maps = self.net(self.enlarged(batch))
        return {"ce": self.cross_entropy(logits, batch)}, maps

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        losses, maps = self.recognition(batch)
        teacher = self.stages.get("teacher")
        if isinstance(teacher, AttentionDistilled):
            with torch.no_grad():
                wanted = teacher.attention_maps(self.unit(batch.hr))
            if self.centred:
                maps, wanted = shared.centred_on_batch(maps), shared.centred_on_batch(wanted)
            losses["attention"] = self.kd_weight * shared.attention_similarity(maps, wanted)
        return losses


def other_size(preset: Preset) -> list[str]:
    """A line where the network of such a method is not about as large as the preset's classifier.

    It has shapes beside each lean classifier, and one for compute = "large".
    """
    beside_lean = preset.classifier in lean.SHAPES
    if preset.large != beside_lean:
        return []
    taken = "a GPU's preset" if preset.large else "the classifier lean"
    return [
        f"its network has the size that goes with {taken}, not with {preset.classifier}, the "
        f"classifier of {preset.id}: compare the columns of cost before the accuracies"
    ]
