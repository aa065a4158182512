"""Methods that break one rule each, for the conformance checks.

The well-behaved one they derive from is here as well.
"""

import subprocess
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from lrfer_bench.api import Method, register_method


@register_method("good")
class Good(Method):
    """A linear classifier that keeps every rule."""

    needs = {"teacher": "classifier@hr"}

    def __init__(self, task, *, weight: float = 1.0):
        super().__init__(task)
        height, width = task.size
        self.linear = nn.Linear(task.channels * height * width, task.classes)
        self.weight = weight

    def forward(self, lr):
        return self.linear(self.enlarge(lr).flatten(1))

    def losses(self, batch):
        return {
            "ce": self.weight
            * F.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch.label)
        }


@register_method("never-learns")
class NeverLearns(Good):
    def losses(self, batch):
        return {"ce": super().losses(batch)["ce"] * 0.0}


@register_method("changes-stage")
class ChangesStage(Good):
    def losses(self, batch):
        self.stages["teacher"].train()
        self.stages["teacher"](batch.lr)
        return super().losses(batch)


@register_method("looks-around")
class LooksAround(Good):
    """Its answer depends on the other faces of the batch."""

    def forward(self, lr):
        logits = super().forward(lr)
        return logits - logits.mean(0)


@register_method("dice")
class Dice(Good):
    """Another result every time."""

    def losses(self, batch):
        noise = torch.rand((), generator=torch.Generator().manual_seed(torch.seed() % 2**31))
        return {"ce": super().losses(batch)["ce"] * (0.5 + noise)}


@register_method("forgets")
class Forgets(Good):
    """Keeps what it has learnt where no state_dict finds it."""

    seen = 0.0

    def losses(self, batch):
        self.seen += 1.0
        return super().losses(batch)

    def forward(self, lr):
        return super().forward(lr) + self.seen * torch.arange(self.task.classes)


@register_method("peeks")
class Peeks(Good):
    """Reads the HR test faces from the cache; the folder is where the sample stands."""

    def forward(self, lr):
        folder = Path(sys.modules["tempfile"].gettempdir())
        found = [
            p
            for p in folder.glob("lrfer-check-*/true/datasets/sample*/test.images.npy")
            if "aside" not in str(p)
        ]
        return super().forward(lr) + (0.5 if found else 0.0)


@register_method("plain-number")
class PlainNumber(Good):
    """One of its losses is no tensor, and only for large faces."""

    def losses(self, batch):
        large = self.task.size == (64, 64)
        return {"ce": super().losses(batch)["ce"], **({"none": 0.0} if large else {})}


@register_method("uncopied")
class Uncopied(Good):
    """Has a weight that copy.deepcopy() refuses."""

    def __init__(self, task):
        super().__init__(task)
        self.linear = nn.utils.weight_norm(self.linear)


@register_method("scheduled")
class Scheduled(Good):
    """Begins at a hundredth of the rate that its author wrote, by a scheduler of its own."""

    def optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        self.warm_up = torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, total_iters=20)
        return {"main": optimizer}


SHARED = nn.Conv2d(1, 1, 3, padding=1)


@register_method("shares-network")
class SharesNetwork(Good):
    """Goes on with a network that was trained before."""

    def __init__(self, task):
        super().__init__(task)
        self.shared = SHARED

    def logits(self, faces):
        grey = faces.mean(1, keepdim=True)
        return self.linear((faces + 0.1 * self.shared(grey).tanh()).flatten(1))  # it stays bounded

    def forward(self, lr):
        return self.logits(self.enlarge(lr))

    def losses(self, batch):
        return {"ce": F.cross_entropy(self.logits(self.enlarged(batch)), batch.label)}


@register_method("elsewhere")
class Elsewhere(Good):
    """Its logits are on a device that nobody asked for."""

    def forward(self, lr):
        logits = super().forward(lr)
        return logits if self.training else logits.to("meta")


@register_method("lacks-package")
class LacksPackage(Good):
    def __init__(self, task):
        super().__init__(task)
        import a_package_that_nobody_has  # noqa: F401


@register_method("litters")
class Litters(Good):
    """Prints, and leaves a process behind."""

    def __init__(self, task):
        super().__init__(task)
        print("hello from the method")
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


@register_method("vanishes")
class Vanishes(Good):
    def losses(self, batch):
        import os

        os._exit(7)
