"""Methods with something to tune, as a user would write them; they learn by a linear classifier."""

import math
import os
import time

import torch.nn.functional as F
from torch import nn

from lrfer_bench.api import Choice, LogUniform, Method, register_method


class _Linear(Method):
    def __init__(self, task):
        super().__init__(task)
        height, width = task.size
        self.linear = nn.Linear(task.channels * height * width, task.classes)

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))

    def losses(self, batch):
        logits = self.linear(self.enlarged(batch).flatten(1))
        return {"ce": F.cross_entropy(logits, batch.label)}


@register_method("tunable")
class Tunable(_Linear):
    """A weight of the loss and a choice; it opens its eyes for test files while it trains."""

    search = {"weight": LogUniform(0.001, 10.0), "kind": Choice("plain", "squared")}

    def __init__(
        self, task, *, weight: float = 0.01, kind: str = "plain", held: int = 1, pair=(1, 2)
    ):
        super().__init__(task)
        self.weight, self.kind = weight, kind

    def losses(self, batch):
        assert not opened_test_files(), opened_test_files()
        time.sleep(float(os.environ.get("LRFER_TEST_SLEEP", "0")))
        loss = super().losses(batch)["ce"]
        return {"ce": self.weight * (loss**2 if self.kind == "squared" else loss)}


@register_method("fragile")
class Fragile(_Linear):
    """Its loss is NaN under one of its options, and it refuses another."""

    search = {"how": Choice("well", "badly", "never")}

    def __init__(self, task, *, how: str = "well"):
        super().__init__(task)
        self.how = how
        if how == "never":
            raise ValueError("never is not possible")

    def losses(self, batch):
        return {"ce": super().losses(batch)["ce"] * (1.0 if self.how == "well" else math.nan)}


@register_method("shared")
class Shared(_Linear):
    """One model for HR and all scales that are asked for; at HR its answers are one class off."""

    trains = "all scales"
    with_hr = True
    search = {"weight": LogUniform(0.001, 10.0)}

    def __init__(self, task, *, weight: float = 1.0):
        super().__init__(task)
        self.weight = weight

    def forward(self, lr):
        logits = super().forward(lr)
        return logits.roll(1, 1) if lr.shape[2] == self.task.size[0] else logits

    def losses(self, batch):
        return {"ce": self.weight * super().losses(batch)["ce"]}


@register_method("settled")
class Settled(_Linear):
    """Nothing to tune."""


@register_method("lazy")
class Lazy(_Linear):
    """Trains nothing itself."""

    trains = "nothing"
    needs = {"classifier": "classifier@hr"}
    search = {"free": Choice(1, 2)}

    def __init__(self, task, *, free: int = 1):
        super().__init__(task)


def opened_test_files():
    """Files of a test split that this process has open or mapped (Linux)."""
    if not os.path.isdir("/proc/self/fd"):
        return []
    with open("/proc/self/maps", encoding="utf-8") as maps:
        names = [line.split()[-1] for line in maps if len(line.split()) > 5]
    for number in os.listdir("/proc/self/fd"):
        if os.path.exists(f"/proc/self/fd/{number}"):
            names.append(os.readlink(f"/proc/self/fd/{number}"))
    return [name for name in names if os.path.basename(name).startswith("test.")]
