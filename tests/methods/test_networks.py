"""Super-resolvers, CovPoolNet, the official generator and discriminator, and the SVM as a module."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from made import batch_of, data_ref, made_faces
from small_models import fresh, plan_of
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lrfer_bench.errors import UserError
from lrfer_bench.nets.covpool import CovPoolNet, covariance, log_eigen, whiten
from lrfer_bench.nets.gan import Critic, Generator
from lrfer_bench.nets.superres import EDSR, prime_factors, psnr
from lrfer_bench.nets.svm import LinearSVM


@pytest.mark.parametrize(
    ("scale", "side", "lr_side"), [(1, 9, 9), (2, 48, 24), (3, 48, 16), (5, 100, 20), (8, 100, 13)]
)
def test_edsr_makes_the_hr_size_at_any_scale(scale: int, side: int, lr_side: int) -> None:
    net = EDSR(3, scale, width=4, blocks=1)
    assert net(torch.zeros(2, 3, lr_side, lr_side, dtype=torch.uint8), (side, side)).shape == (
        2,
        3,
        side,
        side,
    )
    assert not any(isinstance(module, nn.BatchNorm2d) for module in net.modules())
    assert int(np.prod(prime_factors(scale))) == scale


def test_super_resolvers_of_all_scales_cost_about_the_same() -> None:
    for scale in (2, 4, 8):
        stage = fresh("cascade", scale).stages["superres"]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            stage(torch.zeros(1, 1, 48 // scale, 48 // scale, dtype=torch.uint8))
        assert 20e6 < counter.get_total_flops() / 2 < 30e6


def test_psnr_by_hand() -> None:
    reference = torch.zeros(3, 1, 2, 2)
    images = torch.stack([torch.full((1, 2, 2), value) for value in (0.1, 1.5, 0.0)])
    assert psnr(images, reference).tolist() == pytest.approx([20.0, 0.0, 100.0], abs=1e-4)


def test_official_generator_and_discriminator_have_their_published_size() -> None:
    with torch.device("meta"):  # 19 GMAC, counted without being done
        generator = Generator(1, 32, 16, 6, kernel=8, skip=False)
        critic = Critic(1, (8, 16, 32, 64, 64), (128, 128))
        features = torch.empty(1, 1, 128, 128)
        with FlopCounterMode(display=False) as counter:
            made = generator(features)
        assert made.shape == features.shape
        assert critic(features).shape == (1,)
    assert sum(p.numel() for p in generator.parameters()) == pytest.approx(1.16e6, rel=0.03)
    assert counter.get_total_flops() / 2 == pytest.approx(19e9, rel=0.03)
    assert sum(p.numel() for p in critic.parameters()) == pytest.approx(0.32e6, rel=0.03)


def test_fsrfer_takes_the_official_networks_with_covpool() -> None:
    method = fresh("fsrfer", 4, feature="covpool", head="svm")
    assert sum(p.numel() for p in method.generator.parameters()) == pytest.approx(1.16e6, rel=0.03)
    assert sum(p.numel() for p in method.critic.parameters()) == pytest.approx(0.32e6, rel=0.03)
    batch = batch_of(made_faces(2), (4,))
    with torch.no_grad():
        features = method.features(method.enlarged(batch))
        assert features.shape == (2, 1, 128, 128)
        assert method.net.embedding(features).shape == (2, 128)
        embedding = method.embedding(features)
        assert method.critic(features).shape == (2,)
    assert embedding.shape == (2, 7)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))


@pytest.mark.slow
def test_fsrfer_with_covpool_trains_and_answers() -> None:
    method = fresh("fsrfer", 4, feature="covpool", head="svm").train()
    batch = batch_of(made_faces(2), (4,))
    method.progress = 0.9
    told = method.update(batch, method.optimizers())
    assert all(loss.isfinite() for loss in told.values())
    method.eval().after_training([batch])
    with torch.no_grad():
        assert method(batch.lr).isfinite().all()


def test_covpool_stage_learns() -> None:
    torch.manual_seed(0)
    method = fresh("covpool", 1).train()
    batch = batch_of(made_faces(7), (1,))
    optimizers = method.optimizers()
    first = method.update(batch, optimizers)["ce"]
    for _ in range(3):
        last = method.update(batch, optimizers)["ce"]
    assert last < 0.8 * first
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.parameters())


def test_covpool_has_the_sizes_of_the_code() -> None:
    with torch.device("meta"):
        net = CovPoolNet(7, 3)
        linear = [tuple(m.weight.shape) for m in net.modules() if isinstance(m, nn.Linear)]
    assert linear == [(2000, 16384), (128, 2000), (7, 128), (7, 7)]
    assert tuple(net.bimap.shape) == (256, 128)
    net = CovPoolNet(7, 1, hidden=8).eval()
    with torch.no_grad():
        maps = net.maps(torch.rand(2, 1, 48, 48))
    assert maps[-2].shape == (2, 256, 12, 12)
    torch.testing.assert_close(net.bimap.T @ net.bimap, torch.eye(128), atol=1e-4, rtol=0)


def test_whitening_and_covariance_by_numpy() -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(2, 3, 5, 5)).astype(np.float32)
    images[1] = 0.25
    found = whiten(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(
        found[0], (images[0] - images[0].mean()) / images[0].std(), atol=1e-5
    )
    np.testing.assert_allclose(found[1], 0.0, atol=1e-5)
    features = rng.normal(size=(1, 4, 3, 3)).astype(np.float32)
    expected = np.cov(features[0].reshape(4, 9))
    expected += 1e-4 * np.trace(expected) * np.eye(4)
    np.testing.assert_allclose(
        covariance(torch.from_numpy(features))[0].numpy(), expected, atol=1e-5
    )


def test_log_of_eigenvalues_and_its_gradient_even_where_they_meet() -> None:
    rng = np.random.default_rng(0)
    square = rng.normal(size=(5, 5))
    matrix = square @ square.T + 0.1 * np.eye(5)
    values, vectors = np.linalg.eigh(matrix)
    found = log_eigen(torch.from_numpy(matrix)[None])[0].numpy()
    np.testing.assert_allclose(found, vectors @ np.diag(np.log(values)) @ vectors.T, atol=1e-9)
    clipped = log_eigen(torch.zeros(1, 3, 3, dtype=torch.float64))[0]
    np.testing.assert_allclose(clipped.numpy(), np.log(1e-4) * np.eye(3), atol=1e-9)
    batch = torch.from_numpy(np.stack([matrix, 2.0 * np.eye(5)])).requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda m: log_eigen((m + m.transpose(1, 2)) / 2), (batch,), atol=1e-5
    )


def test_the_gradient_of_the_logarithm_holds_in_single_precision_where_eigenvalues_nearly_meet() -> (
    None
):
    """Of diag(v, v (1 + e)): off the diagonal, the slope is the divided difference log1p(e) / (v e)."""
    value, apart = 3e-3, 1e-5
    matrix = torch.diag(torch.tensor([value, value * (1 + apart)]))[None].requires_grad_(True)
    log_eigen(matrix)[0, 0, 1].backward()
    gap = float(matrix[0, 1, 1].detach()) / float(matrix[0, 0, 0].detach()) - 1
    expected = (
        np.log1p(gap) / (float(matrix[0, 0, 0].detach()) * gap) / 2
    )  # half of it for each of both places
    assert matrix.grad is not None
    np.testing.assert_allclose(matrix.grad[0, 0, 1].item(), expected, rtol=1e-5)


@pytest.mark.parametrize("present", [(0, 1, 2), (0, 2), (1, 2)])
def test_svm_says_what_scikit_learn_says(present: tuple[int, ...]) -> None:
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(0)
    labels = np.array(present)[np.arange(60) % len(present)]
    x = rng.normal(size=(60, 4)) + 2 * np.eye(4)[labels]
    svm = LinearSVM(4, 3)
    svm.fit(torch.from_numpy(x).float(), torch.from_numpy(labels))
    machine = LinearSVC(dual=False, random_state=0).fit(
        x.astype(np.float32).astype(np.float64), labels
    )
    answers = svm(torch.from_numpy(x).float())
    assert answers.argmax(1).tolist() == machine.predict(x).tolist()
    if len(present) == 3:
        np.testing.assert_allclose(answers.numpy(), machine.decision_function(x), atol=1e-4)
    assert set(svm.state_dict()) == {"weight", "bias"}


class _Doubler(nn.Module):
    """A "published" super-resolver: nearest neighbours, times a weight of one."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(x, scale_factor=4, mode="nearest") * self.weight


def _fake_spandrel() -> ModuleType:
    """The part of spandrel that is used: loads the file "good", refuses others."""

    class ImageModelDescriptor:
        input_channels = 3

        def __init__(self) -> None:
            self.model = _Doubler()

        def __call__(self, image: torch.Tensor) -> torch.Tensor:
            return self.model(image)

    class ModelLoader:
        def __init__(self, device: str) -> None:
            pass

        def load_from_file(self, path: Path) -> ImageModelDescriptor:
            if Path(path).read_bytes() != b"good":
                raise RuntimeError("unsupported")
            return ImageModelDescriptor()

    module = ModuleType("spandrel")
    module.ModelLoader, module.ImageModelDescriptor = ModelLoader, ImageModelDescriptor  # type: ignore[attr-defined]
    module.__spec__ = type(sys.__spec__)("spandrel", None)
    return module


def test_cascade_takes_a_published_super_resolver(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", _fake_spandrel())
    (tmp_path / "a.pth").write_bytes(b"good")
    (tmp_path / "b.pth").write_bytes(b"good")
    plans = [
        plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / n)})
        for n in ("a.pth", "b.pth")
    ]
    assert list(plans[0].cells) == list(
        plans[1].cells
    )  # the same content is the same result, wherever it lies
    cell = next(iter(plans[0].cells.values()))
    assert cell.method.given == {"sr_checkpoint": f"sha256:{hashlib.sha256(b'good').hexdigest()}"}
    assert [t.method.name for t in plans[0].trainings.values()] == ["classifier"]
    method = fresh("cascade", 4, sr_checkpoint=str(tmp_path / "a.pth"))
    lr = batch_of(made_faces(3), (4,)).lr
    with torch.no_grad():
        restored = method.restored(lr)
        assert torch.allclose(
            restored, lr.repeat_interleave(4, 2).repeat_interleave(4, 3) / 255, atol=1e-6
        )
        assert torch.equal(method(lr), method.stages["classifier"].net(restored))


@pytest.mark.parametrize("planes", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_checkpoint_as_it_is_published(planes: int, channels: int, tmp_path: Path) -> None:
    """A real file of a real architecture; what the cascade shows is what the network itself makes of each face."""
    pytest.importorskip("spandrel", reason='needs pip install "lrfer-bench[sr]"')
    from spandrel.architectures.Compact import Compact

    torch.manual_seed(0)
    net = Compact(num_in_ch=planes, num_out_ch=planes, num_feat=8, num_conv=2, upscale=4).eval()
    torch.save(net.state_dict(), tmp_path / "compact.pth")
    ref = data_ref(channels)
    method = fresh("cascade", 4, ref=ref, sr_checkpoint=str(tmp_path / "compact.pth"))
    lr = batch_of(made_faces(2, channels), (4,)).lr
    unit = lr.float() / 255
    with torch.no_grad():
        if planes == channels:
            expected = net(unit)
        elif planes == 3:
            expected = net(unit.expand(-1, 3, -1, -1)).clamp(0, 1).mean(1, keepdim=True)
        else:
            expected = torch.cat([net(unit[:, [c]]) for c in range(3)], 1)
        torch.testing.assert_close(method.restored(lr), expected.clamp(0, 1), rtol=1e-5, atol=1e-5)


def test_a_bad_checkpoint_is_told_in_one_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "bad.pth").write_bytes(b"bad")
    monkeypatch.setitem(sys.modules, "spandrel", _fake_spandrel())
    with pytest.raises(
        UserError, match=r"bad\.pth .*spandrel.*RuntimeError"
    ):
        fresh("cascade", 4, sr_checkpoint=str(tmp_path / "bad.pth"))
    with pytest.raises(UserError, match=r"none\.pth"):
        plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / "none.pth")})


def test_a_checkpoint_that_changes_after_the_plan_is_refused(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from lrfer_bench.contract.method import Task
    from lrfer_bench.running.jobs import build

    monkeypatch.setitem(sys.modules, "spandrel", _fake_spandrel())
    (tmp_path / "a.pth").write_bytes(b"good")
    plan = plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / "a.pth")})
    (tmp_path / "a.pth").write_bytes(b"other")
    cell = next(iter(plan.cells.values()))
    with pytest.raises(UserError, match="changed since the plan"):
        build(cell.method, Task(7, 1, (48, 48), (4,), cell.preset), torch.device("cpu"))


def test_without_spandrel_the_cascade_says_how_to_get_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("lrfer_bench.methods.cascade.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "lrfer-bench\[sr\]"'):
        plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / "a.pth")})
