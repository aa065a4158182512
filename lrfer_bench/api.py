"""The one door for authors of methods, data sets and protocols.

A method, whole:

    from lrfer_bench.api import Method, register_method
    from torch import nn
    import torch.nn.functional as F

    @register_method("tiny")
    class Tiny(Method):
        '''A linear classifier on the enlarged face.'''

        def __init__(self, task, *, bias=True):
            super().__init__(task)
            height, width = task.size
            self.linear = nn.Linear(task.channels * height * width, task.classes, bias=bias)

        def forward(self, lr):                       # uint8 [B, C, h, w] -> logits [B, classes]
            return self.linear(self.enlarge(lr).flatten(1))

        def losses(self, batch):
            return {"ce": F.cross_entropy(self.linear(self.enlarged(batch).flatten(1)), batch.label)}

`lrfer-bench run --plugin tiny.py --methods tiny,direct` puts it into the table.

Names that need torch are loaded when they are first asked for, so a data set's module stays quick to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lrfer_bench.cards import DatasetCard, MethodCard
from lrfer_bench.data.dataset import Dataset
from lrfer_bench.data.faceset import FaceSet, Split
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.protocols.base import Protocol
from lrfer_bench.registry import DATASETS, METHODS, PROTOCOLS, register
from lrfer_bench.training.presets import Preset

if TYPE_CHECKING:
    from lrfer_bench.method import Batch, Method, Need, Task, sgd
    from lrfer_bench.nets.classifiers import ClassifierNet, build_classifier

__all__ = [
    "Batch", "ClassifierNet", "DataError", "Dataset", "DatasetCard", "FaceSet", "Method", "MethodCard", "Need", "Preset",
    "Protocol", "Split", "Task", "UserError", "build_classifier", "register_dataset", "register_method",
    "register_protocol", "sgd",
]  # fmt: skip

Thing = TypeVar("Thing")

_LAZY = {
    **dict.fromkeys(("Batch", "Method", "Need", "Task", "sgd"), "lrfer_bench.method"),
    **dict.fromkeys(("ClassifierNet", "build_classifier"), "lrfer_bench.nets.classifiers"),
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def register_method(name: str) -> Callable[[type[Thing]], type[Thing]]:
    """Class decorator: enter a Method under a name. A name that is taken is a UserError that names both owners."""
    return _registering(METHODS, name)


def register_dataset(name: str) -> Callable[[type[Thing]], type[Thing]]:
    """Class decorator: enter a Dataset under a name."""
    return _registering(DATASETS, name)


def register_protocol(name: str) -> Callable[[type[Thing]], type[Thing]]:
    """Class decorator: enter a Protocol under a name."""
    return _registering(PROTOCOLS, name)


def _registering(registry: Any, name: str) -> Callable[[type[Thing]], type[Thing]]:
    def decorate(cls: type[Thing]) -> type[Thing]:
        register(registry, name, cls)
        return cls

    return decorate
