"""Equal networks are those that do the same work; seeds and weights do not count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import torch
from small_models import fresh
from torch import Tensor

from lrfer_bench.contract.method import Method
from lrfer_bench.measuring import opening
from lrfer_bench.measuring.network import work_of
from lrfer_bench.predicting.predictor import Predictor
from lrfer_bench.store.store import Store


def face(side: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (1, 1, side, side), dtype=torch.uint8, generator=generator)


def work(name: str, scale: int = 4, **more: Any) -> str:
    return work_of(fresh(name, scale, **more).eval(), face(48 // scale))


def test_seeds_and_students_are_the_same_network() -> None:
    assert work("direct") == work("direct", seed=1) == work("kd") != ""


@pytest.mark.parametrize("other", [("direct", 2), ("gmenet", 4), ("cascade", 4)])
def test_other_sizes_and_other_networks_are_not(other: tuple[str, int]) -> None:
    assert work(*other) not in ("", work("direct"))


class Own(Method):
    """A method whose forward is any function of float faces."""

    def __init__(self, task: Any, function: Any) -> None:
        super().__init__(task)
        self.function = function

    def forward(self, lr: Tensor) -> Tensor:
        return self.function(self.enlarge(lr).flatten(1)[:, :7])


ADDRESSES: dict[str, Any] = {
    "address": lambda x: x.data_ptr(),
    "storage": lambda x: x.untyped_storage().data_ptr(),
    "typed storage": lambda x: x.storage(),
    "shared": lambda x: x.share_memory_(),
    "C++": lambda x: x._cdata,
    "dlpack": np.from_dlpack,
}
"""What hands a tensor over without its values: an engine writes the answer into another one."""


def outside(by: str) -> Any:
    def function(x: Tensor) -> Tensor:
        if by == "numpy":
            return torch.from_numpy(x.numpy() * 2)
        if by == "list":
            return torch.tensor(x.tolist())
        if by in ADDRESSES:
            ADDRESSES[by](x)
            return torch.zeros(len(x), 7)
        return x if float(x.sum()) > 1 else x * 2

    return function


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("by", ["numpy", "list", "value", *ADDRESSES])
def test_work_outside_torch_or_that_depends_on_values_equals_no_other(by: str) -> None:
    task = fresh("direct").task
    assert work_of(Own(task, outside(by)), face()) == ""
    assert work_of(Own(task, lambda x: x * 2), face()) != ""


@pytest.mark.parametrize("existing", [False, True])
def test_what_existed_already_equals_no_other(
    existing: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = made_records.make_record(failure="-", existing=existing)
    net, device = fresh("direct").eval(), torch.device("cpu")
    found = Predictor(record, tuple("abcdefg"), 1, (48, 48), (12, 12), net, device)
    monkeypatch.setattr(opening, "predictor_of", lambda *_: found)
    opened = opening.Opener(Store(tmp_path), untrained=False, trust=False).open(record, device)
    assert opened.network == ("" if existing else work_of(net, face()))
