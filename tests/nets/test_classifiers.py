"""Classifier networks: the lean one and timm's behind one face."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lrfer_bench.errors import UserError
from lrfer_bench.nets.classifiers import LeanNet, build_classifier, try_out
from lrfer_bench.nets.lean import LEAN, LEAN2, LEAN2_HALF, Shape


@pytest.mark.parametrize("name", ["lean", "lean2", "resnet18", "resnet18@3x3"])
@pytest.mark.parametrize(("channels", "classes", "side"), [(1, 7, 48), (3, 8, 100)])
def test_logits_maps_and_head_fit_together(
    name: str, channels: int, classes: int, side: int
) -> None:
    net = build_classifier(name, classes, channels, (side, side), dropout=0.2).eval()
    images = torch.rand(2, channels, side, side)
    maps = net.maps(images)
    assert len(maps) >= 3 and maps[-1].shape[1] == net.feature_channels
    assert torch.equal(net.head(maps[-1]), net(images))
    assert net(images).shape == (2, classes)


def test_the_lean_network_has_the_size_that_its_card_says() -> None:
    net = LeanNet(LEAN, 7, 1, (48, 48), 0.2)
    assert [tuple(m.shape[1:]) for m in net.maps(torch.rand(1, 1, 48, 48))] == [
        (24, 24, 24), (64, 12, 12), (128, 6, 6), (256, 3, 3),
    ]  # fmt: skip
    assert sum(p.numel() for p in net.parameters()) == 1_236_547


@pytest.mark.parametrize(
    ("side", "millions", "maps"),
    [
        (48, 15.7, [(48, 12, 12), (96, 6, 6), (192, 3, 3)]),
        (24, 4.83, [(48, 6, 6), (96, 3, 3), (192, 2, 2)]),
        (100, 23.5, [(48, 13, 13), (96, 7, 7), (192, 4, 4)]),
        (12, 1.43, [(48, 3, 3), (96, 2, 2), (192, 1, 1)]),
    ],
)
def test_the_second_lean_network_has_three_maps(
    side: int, millions: float, maps: list[tuple[int, ...]]
) -> None:
    net = LeanNet(LEAN2, 7, 1, (side, side), 0.2).eval()
    images = torch.rand(2, 1, side, side)
    assert [tuple(m.shape[1:]) for m in net.maps(images)] == maps
    assert not any("gate" in name for name, _ in net.named_parameters()), "no squeeze-and-excite"
    assert sum(p.numel() for p in net.parameters()) == 693_031
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(images[:1])
    assert counter.get_total_flops() / 2e6 == pytest.approx(millions, rel=0.03)


def test_its_half_has_half_the_channels() -> None:
    net = LeanNet(LEAN2_HALF, 7, 1, (48, 48), 0.2).eval()
    assert tuple(2 * width for width in LEAN2_HALF.widths) == LEAN2.widths
    assert sum(p.numel() for p in net.parameters()) == 174_871


@pytest.mark.parametrize("shape", [LEAN, LEAN2, LEAN2_HALF], ids=["lean", "lean2", "half"])
def test_lean_networks_resize_to_the_size_they_work_at(shape: Shape) -> None:
    torch.manual_seed(0)
    net = LeanNet(shape, 7, 1, (24, 24), 0.2).eval()
    images = torch.rand(2, 1, 48, 48)
    small = F.interpolate(images, size=(24, 24), mode="bicubic", antialias=True)
    with torch.no_grad():
        assert torch.equal(net(images), net(small))


def test_networks_of_tokens_classify_but_hand_out_no_maps() -> None:
    for name, size in (("vit_tiny_patch16_224", 224), ("eva02_tiny_patch14_224", 224)):
        net = build_classifier(name, 7, 1, (48, 48), dropout=0.0, input_size=size).eval()
        images = torch.rand(2, 1, 48, 48)
        with torch.no_grad():
            assert net(images).shape == (2, 7)
            with pytest.raises(
                UserError, match=rf'"{name}" ends in \[\d+, \d+\], not in \d+ channels by positions'
            ):
                net.maps(images)


def test_a_network_that_hides_its_stages_names_the_timm_that_it_is_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timm, "create_model", lambda *_, **__: nn.Identity())
    with pytest.raises(UserError, match=f'"vgg11" does not show.*timm {timm.__version__}'):
        build_classifier("vgg11", 7, 1, (48, 48), dropout=0.0)


def test_a_timm_network_can_be_fed_larger_images() -> None:
    net = build_classifier("resnet18", 7, 1, (48, 48), dropout=0.0, input_size=96).eval()
    assert net.maps(torch.rand(1, 1, 48, 48))[-1].shape[-1] == 3


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("resnet81", {}, 'timm has no classifier "resnet81": did you mean "resnet1'),
        ("lean", {"pretrained": True}, "has no pretrained weights"),
        ("lean@3x3", {}, 'has its own stem: leave out "@3x3"'),
        ("hf-hub:timm/resnet18.a1_in1k", {}, 'did you mean "resnet18.a1_in1k"'),
    ],
)
def test_wrong_names(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        build_classifier(name, 7, 1, (48, 48), dropout=0.0, **options)


def test_pretrained_weights_are_asked_of_timm_and_missing_ones_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import timm

    asked: list[Any] = []
    real = timm.create_model

    def create(name: str, pretrained: bool, **options: Any) -> Any:
        asked.append((name, pretrained, options["in_chans"]))
        if len(asked) == 1:
            raise OSError("no network")
        return real(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", create)
    with pytest.raises(UserError, match="go online once"):
        build_classifier("resnet18", 7, 1, (48, 48), dropout=0.0, pretrained=True)
    build_classifier("resnet18", 7, 1, (48, 48), dropout=0.0, pretrained=True)
    assert asked == [("resnet18", True, 1)] * 2


def test_a_resnet_with_a_stem_for_small_faces_keeps_positions() -> None:
    usual, small = (
        build_classifier(name, 7, 1, (48, 48), dropout=0.0).eval()
        for name in ("resnet18", "resnet18@3x3")
    )
    assert usual.maps(torch.rand(1, 1, 48, 48))[-1].shape[-2:] == (2, 2)
    assert small.maps(torch.rand(1, 1, 48, 48))[-1].shape[-2:] == (6, 6)
    for name in ("mobilenetv3_small_050@3x3", "resnet18@5x5"):
        with pytest.raises(UserError, match="only timm's ResNets take another stem"):
            build_classifier(name, 7, 1, (48, 48), dropout=0.0)


def test_an_unknown_name_is_answered_in_one_line() -> None:
    with pytest.raises(UserError, match=r"and [0-9,]+ more") as raised:
        build_classifier("$" * 9, 7, 1, (48, 48), dropout=0.0)
    assert len(str(raised.value)) < 250


def test_a_transformer_at_another_size_names_the_setting() -> None:
    net = build_classifier("vit_tiny_patch16_224", 7, 1, (48, 48), dropout=0.0)
    with pytest.raises(UserError, match=r"48x48 pixels.*input_size=224"):
        try_out(net, 1, (48, 48))
    enlarged = build_classifier("vit_tiny_patch16_224", 7, 1, (48, 48), dropout=0.0, input_size=224)
    try_out(enlarged, 1, (48, 48))
