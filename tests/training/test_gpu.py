"""On a GPU: the same bytes as on the processor, and no step that waits. Skipped where none is."""

import numpy as np
import pytest
import torch
from made import data_ref, made_faces

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.pixels import resize
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import PROTOCOLS
from lrfer_bench.running.models import untrained
from lrfer_bench.training.batches import BatchSource
from lrfer_bench.training.precision import Precision

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU here")
METHODS = (
    "direct", "multires", "cascade", "srfer", "fsrfer", "askd", "fskd", "gmenet", "kd",
    "fitnet", "rsnet", "mafer", "qualnet",
)  # fmt: skip


@pytest.mark.parametrize("target", [6, 12, 16, 24, 48, 100])
@pytest.mark.parametrize("source", [6, 17, 48, 112])
def test_resize_makes_the_same_bytes(source: int, target: int) -> None:
    faces = torch.randint(0, 256, (50, 3, source, source), dtype=torch.uint8)
    faces[:9] = faces[:9].gt(127) * 255
    assert torch.equal(
        resize(faces.cuda(), (target, target)).cpu(), resize(faces, (target, target))
    )


@pytest.mark.parametrize("name", sorted(entry.name for entry in PROTOCOLS))
def test_batches_are_the_same_bytes(name: str) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (70, 1, 48, 48), dtype=np.uint8)
    split = Split(images, rng.integers(0, 7, 70))
    here, there = (
        BatchSource(split, protocol_of(name), (1, 2, 4, 5), 16, 3, "key", device)
        for device in (CPU, GPU)
    )
    for ours, theirs in zip(here.epoch(1), there.epoch(1), strict=True):
        assert theirs.hr.is_cuda
        assert torch.equal(ours.hr, theirs.hr.cpu())
        assert torch.equal(ours.label, theirs.label.cpu())
        for scale, lr in ours.lr_parts.items():
            assert torch.equal(lr, theirs.lr_parts[scale].cpu())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_step_waits_for_the_gpu(method: str, precision: str) -> None:
    """But for covpool: torch's eigenvalues of symmetric matrices wait by themselves."""
    request = Request(methods=(method,), scales=(4,), preset=preset_of("cpu@2"))
    plan = build_plan(request, data_ref())
    for training in plan.trainings.values():
        condition = training.condition
        source = BatchSource(
            made_faces(70), protocol_of(condition.protocol), condition.scales, 14, 3,
            training.key, GPU, training.preset.flips,
        )  # fmt: skip
        model = untrained(training, plan, GPU)
        optimizers, kind = dict(model.optimizers()), Precision(precision, "cuda")
        model.train()
        batches = source.epoch(0)
        for turn in range(4):
            model.progress = 0.99 * (turn % 2)
            if turn == 2:
                torch.cuda.set_sync_debug_mode("error")
            try:
                with kind.autocast():
                    told = model.update(next(batches), optimizers)
            finally:
                torch.cuda.set_sync_debug_mode("default")
        assert all(torch.isfinite(loss) for loss in told.values()), training.label
