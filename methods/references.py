"""The reference rows: a ceiling, a floor, and the two plain baselines that every idea has to
beat.
"""

from __future__ import annotations

from torch import Tensor

from lrfer_bench.api import Method, register_method
from lrfer_bench.methods.stages import Classifier


class _Judge(Method):
    """Nothing of its own to train: the HR classifier, shown something."""

    needs = {"classifier": "classifier@hr"}
    trains = "nothing"

    def forward(self, lr: Tensor) -> Tensor:
        return self.stages["classifier"](lr)


@register_method("oracle")
class Oracle(_Judge):
    """The HR classifier on HR images: the ceiling.

    No LR method, since it sees what no LR method may see.
    """

    tests = "hr"


@register_method("enlarge")
class Enlarge(_Judge):
    """The HR classifier on enlarged faces: what happens when nobody does anything."""


@register_method("direct")
class Direct(Classifier):
    """The same network, trained on enlarged LR faces of the one scale it is tested at."""


@register_method("multires")
class MultiRes(Classifier):
    """The same network, one model trained on all scales mixed, HR among them: the strong plain
    baseline.
    """

    trains = "all scales"
    with_hr = True
