"""What super-resolving methods show as restored is what their classifiers see.

The others show nothing.
"""

from __future__ import annotations

import pytest
import torch
from made import batch_of, made_faces
from small_models import fresh

from lrfer_bench.contract.method import Method
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.predicting.faces import check_restores


@pytest.mark.parametrize("name", ["superres", "cascade", "srfer"])
def test_a_method_that_restores(name: str) -> None:
    method = fresh(name)
    if name == "srfer":  # other weights than its stages', so that their places can be told apart
        with torch.no_grad():
            method.restore.last.bias.add_(0.1)
            method.tuned.linear.bias.add_(torch.arange(7.0))
    lr = batch_of(made_faces(3), (4,)).lr
    with torch.no_grad():
        faces = method.restored(lr)
        judge = {"superres": lambda images: images, "srfer": lambda images: method.tuned(images)}
        seen = judge.get(name, lambda images: method.stages["classifier"].net(images))(faces)
        assert torch.equal(method(lr), seen)
    assert faces.shape == (3, 1, 48, 48)
    check_restores([name])


def test_all_others_restore_nothing() -> None:
    restoring = {
        name for name in METHODS.names() if METHODS.load(name).restored is not Method.restored
    }
    assert restoring >= {"superres", "cascade", "srfer"} and not restoring & {
        "direct",
        "oracle",
        "enlarge",
        "fsrfer",
    }
    assert METHODS.load("direct").restored(None, torch.zeros(1)) is None
