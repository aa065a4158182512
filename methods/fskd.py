"""F-SKD: feature similarity distillation, from the HR classifier to the same network on LR faces."""

from __future__ import annotations

import torch
from torch import Tensor

from lrfer_bench.api import Batch, Task, register_method
from lrfer_bench.methods.stages import Classifier, classifier_of
from lrfer_bench.nets.losses import feature_similarity, relation, same_class_partner


@register_method("fskd")
class FSKD(Classifier):
    """The classifier, trained on: cross-entropy + feature similarity over all stages + relations between faces of a class.

    feature, relation: the weights of the two terms (lambda 1 and lambda 2 of the paper); 0 leaves one out.
    """

    needs = {"classifier": "classifier@hr"}

    def __init__(self, task: Task, *, feature: float = 2.0, relation: float = 0.4) -> None:
        super().__init__(task)
        self.feature, self.relation = feature, relation

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        low = self.net.maps(self.enlarged(batch))
        with torch.no_grad():
            high = classifier_of(self.stages).net.maps(self.unit(batch.hr))
        partner = same_class_partner(batch.label)
        return {
            "ce": self.cross_entropy(self.net.head(low[-1]), batch),
            "feature": self.feature * feature_similarity(low, high),
            "relation": self.relation * relation(low[-1], high[-1], partner),
        }
