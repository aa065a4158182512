"""F-SKD: feature similarity distillation, from the HR classifier to one on LR faces.

The two have the same network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lrfer_bench.api import Batch, LogUniform, Need, Task, losses, register_method
from lrfer_bench.methods.students import HintLayers, Student


@register_method("fskd")
class FSKD(Student):
    """A classifier on LR faces: cross-entropy, feature similarity, and relations between faces.

    Similarity is over all stages, relations are between faces of a class. Where its teacher works
    on more pixels, the teacher's maps are averaged down to the student's.

    feature, relation: the weights of the two terms (lambda 1 and lambda 2 of the paper); 0 leaves
        one out
    hint: put each map through a 1x1 convolution and batch norm before both terms, in training only
    weights: start the student from this file, all but the head
    """

    # Version 1 had cosines of positions, no hint layers, and lone faces in the relation term.
    version = "2"
    compares_maps = True
    search = {"feature": LogUniform(0.5, 50.0), "relation": LogUniform(0.1, 10.0)}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        """No teacher where there is nothing to be learnt from one."""
        if settings["feature"] or settings["relation"]:
            return {"classifier": Need("classifier", "hr")}
        return {}

    def __init__(
        self,
        task: Task,
        *,
        feature: float = 20.0,
        relation: float = 4.0,
        hint: bool = True,
        weights: str = "",
    ) -> None:
        super().__init__(task, weights)
        self.feature, self.relation = feature, relation
        self.hint = HintLayers(self) if hint and task.stages else None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        if not self.stages:
            return self.plain_losses(batch)
        low, high = self.seen(batch)
        compared = low if self.hint is None else self.hint(low)
        partner = losses.same_class_partner(batch.label)
        return {
            "ce": self.cross_entropy(self.net.head(low[-1]), batch),
            "feature": self.feature * losses.feature_similarity(compared, high),
            "relation": self.relation * losses.relation(compared[-1], high[-1], partner),
        }
