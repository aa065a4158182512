"""F-SKD: feature similarity distillation, from the HR classifier to the same network on LR faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from lrfer_bench.api import Batch, Need, Task, register_method
from lrfer_bench.methods.stages import Classifier, classifier_of
from lrfer_bench.nets.losses import feature_similarity, relation, same_class_partner


@register_method("fskd")
class FSKD(Classifier):
    """A classifier on LR faces: cross-entropy + feature similarity over all stages + relations between faces of a class.

    It starts from scratch and has the architecture of its teacher; where that works on more pixels, its maps are averaged
    down to the student's.
    feature, relation: the weights of the two terms (lambda 1 and lambda 2 of the paper); 0 leaves one out.
    """

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """No teacher where there is nothing to be learnt from one."""
        return {"classifier": Need("classifier", "hr")} if settings["feature"] or settings["relation"] else {}

    def __init__(self, task: Task, *, feature: float = 20.0, relation: float = 4.0) -> None:
        if task.stages:
            teacher = classifier_of(task.stages)
            super().__init__(task, arch=teacher.arch, input_size=teacher.input_size)
        else:
            super().__init__(task)
        self.feature, self.relation = feature, relation

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        low = self.net.maps(self.enlarged(batch))
        if not self.stages:
            return {"ce": self.cross_entropy(self.net.head(low[-1]), batch)}
        with torch.no_grad():
            high = classifier_of(self.stages).net.maps(self.unit(batch.hr))
        partner = same_class_partner(batch.label)
        return {
            "ce": self.cross_entropy(self.net.head(low[-1]), batch),
            "feature": self.feature * feature_similarity(low, high),
            "relation": self.relation * relation(low[-1], high[-1], partner),
        }
