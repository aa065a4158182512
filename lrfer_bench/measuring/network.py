"""Which networks are equal, so that one latency serves them all: the same work on the same shapes.

Seeds of one method are equal, and so are a student and the plain method of the same network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from lrfer_bench.contract.method import Method

LEAVING = {
    getattr(Tensor, name)
    for name in ("numpy", "tolist", "item", "__array__", "__dlpack__", "__float__", "__int__",
                 "__bool__", "__index__", "__complex__", "data_ptr", "untyped_storage", "storage",
                 "share_memory_")
} | {getattr(Tensor, name).__get__ for name in ("_cdata", "__cuda_array_interface__")}  # fmt: skip
"""What hands values, or the address where they stand, to code outside torch, whose work nobody
sees: engines such as TensorRT and onnxruntime's io_binding are given addresses."""


def work_of(method: Method, lr: Tensor) -> str:
    """A hash of all that torch does for these faces: operations, shapes, layouts and data types.

    Equal for networks of the same speed. "" where part of the work is done outside torch, or
    depends on values: such a network is equal to no other.
    """
    with torch.no_grad():
        method(lr)  # what is made at the first call only, such as the weights of a resize
        with _Operations() as operations, _Leaving() as leaving:
            method(lr)
    return "" if leaving.seen or operations.looked else operations.digest.hexdigest()[:12]


class _Operations(TorchDispatchMode):
    """Writes down every operation. looked: a number went from a tensor to Python."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self.looked = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.looked |= "_local_scalar_dense" in str(func)
        self.digest.update(repr((str(func), _form(args), _form(kwargs or {}))).encode())
        return found


class _Leaving(TorchFunctionMode):
    """Notices calls that hand a tensor's values to other libraries."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = False

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.seen |= func in LEAVING
        return func(*args, **(kwargs or {}))


def _form(value: Any) -> Any:
    """What of an argument decides how long an operation takes. Not its floats, such as an eps."""
    if isinstance(value, Tensor):
        return str(value.dtype), tuple(value.shape), value.stride()
    if isinstance(value, (list, tuple)):
        return [_form(item) for item in value]
    if isinstance(value, Mapping):
        return [(name, _form(item)) for name, item in value.items()]
    return "float" if isinstance(value, float) else str(value)
