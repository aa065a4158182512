"""The super-resolver before the classifier: what it costs, and published ones in its place."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from made import batch_of, data_ref, made_faces
from small_models import fresh, plan_of
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.plugins import contents


@pytest.mark.parametrize(("preset", "least", "most"), [("cpu", 20e6, 30e6), ("quick", 1e6, 4e6)])
def test_super_resolvers_of_all_scales_cost_about_the_same(
    preset: str, least: float, most: float
) -> None:
    for scale in (2, 4, 8):
        stage = fresh("cascade", scale, preset_of(preset)).stages["superres"]
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            stage(torch.zeros(1, 1, 48 // scale, 48 // scale, dtype=torch.uint8))
        assert least < counter.get_total_flops() / 2 < most


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
    """A real file of a real architecture.

    What the cascade shows is what the network itself makes of each face.
    """
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
    with pytest.raises(UserError, match=r"bad\.pth .*spandrel.*RuntimeError"):
        fresh("cascade", 4, sr_checkpoint=str(tmp_path / "bad.pth"))
    with pytest.raises(UserError, match=r"none\.pth"):
        plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / "none.pth")})


def test_a_checkpoint_that_changes_after_the_plan_is_refused(
    tmp_path: Path, monkeypatch: Any
) -> None:
    from lrfer_bench.contract.method import Task
    from lrfer_bench.running.models import build_method

    monkeypatch.setitem(sys.modules, "spandrel", _fake_spandrel())
    monkeypatch.setattr(contents, "_SEEN", {})  # other tests have files of the same content
    (tmp_path / "a.pth").write_bytes(b"good")
    plan = plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / "a.pth")})
    (tmp_path / "a.pth").write_bytes(b"other")
    cell = next(iter(plan.cells.values()))
    with pytest.raises(UserError, match="changed since the plan"):
        build_method(cell.method, Task(7, 1, (48, 48), (4,), cell.preset), torch.device("cpu"))


def test_without_spandrel_the_cascade_says_how_to_get_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("lrfer_bench.methods.cascade.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r'pip install "lrfer-bench\[sr\]"'):
        plan_of(["cascade"], (4,), cascade={"sr_checkpoint": str(tmp_path / "a.pth")})
