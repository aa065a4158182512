"""The cascade with a face restorer, which enlarges nothing and knows large square faces alone."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from made import batch_of, data_ref, made_faces
from small_models import fresh
from torch import Tensor, nn

from lrfer_bench.pixels import enlarge

SIDE = 512


class Restorer(nn.Module):
    """Answers the face that it is shown, under noise of its own; remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x)
        return x + 0.1 * torch.randn_like(x)


class Descriptor:
    """The part of spandrel's ImageModelDescriptor that is used, for a GFPGAN."""

    input_channels, scale = 3, 1

    def __init__(self, purpose: str, minimum: int) -> None:
        self.purpose, self.model = purpose, Restorer()
        self.size_requirements = SimpleNamespace(minimum=minimum)

    def __call__(self, image: Tensor) -> Tensor:
        return self.model(image)


def cascade_with(
    descriptor: Descriptor, folder: Path, monkeypatch: Any, channels: int = 1, side: int = 48
) -> Any:
    module = ModuleType("spandrel")
    loader = SimpleNamespace(load_from_file=lambda file: descriptor)
    vars(module).update(ModelLoader=lambda device: loader, ImageModelDescriptor=Descriptor)
    module.__spec__ = type(sys.__spec__)("spandrel", None)
    monkeypatch.setitem(sys.modules, "spandrel", module)
    (folder / "face.pth").write_bytes(b"weights")
    checkpoint = str(folder / "face.pth")
    return fresh("cascade", 4, ref=data_ref(channels, side=side), sr_checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("channels", "minimum", "side"), [(1, 0, 512), (3, 512, 512), (3, 576, 576)]
)
def test_a_face_restorer_is_shown_large_square_faces(
    channels: int, minimum: int, side: int, tmp_path: Path, monkeypatch: Any
) -> None:
    descriptor = Descriptor("FaceSR", minimum)
    method = cascade_with(descriptor, tmp_path, monkeypatch, channels)
    lr = batch_of(made_faces(2, channels), (4,)).lr
    with torch.no_grad():
        restored = method.restored(lr)
    seen = torch.cat(descriptor.model.seen)
    assert len(descriptor.model.seen) == 2, "one face at a time"
    assert torch.equal(seen, enlarge(lr, (side, side)).expand(-1, 3, -1, -1))
    assert restored.shape == (2, channels, 48, 48)
    enlarged = method.enlarge(lr)
    assert (restored - enlarged).abs().mean() < 0.03, "it shows the face, not a corner of it"


def test_the_noise_of_a_face_restorer_is_the_same_for_each_face_and_call(
    tmp_path: Path, monkeypatch: Any
) -> None:
    method = cascade_with(Descriptor("FaceSR", 512), tmp_path, monkeypatch)
    lr = batch_of(made_faces(3), (4,)).lr
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    with torch.no_grad():
        together = method.restored(lr)
        alone = method.restored(lr[1:2])
    assert torch.equal(together[1:2], alone)
    assert torch.equal(torch.random.get_rng_state(), before), "and nobody else's draws are moved"


def test_other_networks_are_shown_the_face_as_it_is(tmp_path: Path, monkeypatch: Any) -> None:
    descriptor = Descriptor("Restoration", 16)
    method = cascade_with(descriptor, tmp_path, monkeypatch)
    lr = batch_of(made_faces(2), (4,)).lr
    with torch.no_grad():
        method.restored(lr)
    assert [tuple(seen.shape) for seen in descriptor.model.seen] == [(2, 3, 12, 12)]


@pytest.mark.slow
def test_a_real_face_restorer(tmp_path: Path) -> None:
    """RestoreFormer, small and untrained: the cascade shows what it makes of the enlarged face."""
    pytest.importorskip("spandrel", reason='needs pip install "lrfer-bench[sr]"')
    from spandrel.architectures.RestoreFormer import RestoreFormer

    torch.manual_seed(0)
    net = RestoreFormer(
        n_embed=8, embed_dim=4, ch=32, out_ch=3, ch_mult=(1,) * 6, num_res_blocks=1,
        attn_resolutions=(16,), dropout=0.0, in_channels=3, resolution=SIDE, z_channels=32,
        double_z=False, enable_mid=True, head_size=8,
    ).eval()  # fmt: skip
    torch.save(net.state_dict(), tmp_path / "restoreformer.pth")
    # as the harness has it: under other rounding the network takes other codes of its codebook
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    method = fresh("cascade", 4, sr_checkpoint=str(tmp_path / "restoreformer.pth"))
    lr = batch_of(made_faces(1), (4,)).lr
    with torch.no_grad():
        large = (enlarge(lr, (SIDE, SIDE)).expand(-1, 3, -1, -1) - 0.5) / 0.5
        drawn = ((net(large)[0] + 1) / 2).clamp(0, 1).mean(1, keepdim=True)
        expected = nn.functional.interpolate(drawn, size=(48, 48), mode="bicubic", antialias=True)
        torch.testing.assert_close(method.restored(lr), expected.clamp(0, 1), rtol=1e-4, atol=1e-4)
