"""The reference rows: a ceiling, a floor, and two plain baselines that every idea has to beat."""

from __future__ import annotations

from torch import Tensor

from lrfer_bench.api import Method, register_method
from lrfer_bench.methods.stages import Classifier


class _HRClassifier(Method):
    """The shared HR classifier; it trains nothing of its own."""

    needs = {"classifier": "classifier@hr"}
    trains = "nothing"

    def forward(self, lr: Tensor) -> Tensor:
        return self.stages["classifier"](lr)


@register_method("oracle")
class Oracle(_HRClassifier):
    """The HR classifier on HR images: the ceiling. It sees what no LR method may see."""

    tests = "hr"


@register_method("enlarge")
class Enlarge(_HRClassifier):
    """The HR classifier on enlarged faces: the floor. Enlarging is bicubic interpolation."""


@register_method("direct")
class Direct(Classifier):
    """The same network, trained on enlarged LR faces of the one scale it is tested at."""


@register_method("multires")
class MultiRes(Classifier):
    """The same network, one model trained on all scales mixed, HR among them: a strong baseline."""

    trains = "all scales"
    with_hr = True
