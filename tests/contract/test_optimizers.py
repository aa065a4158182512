"""Which weights Muon gets: the rule on modules, held against a forward pass of every network."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from timm.models.densenet import DenseNet
from torch import nn

from lrfer_bench.contract.method import Task
from lrfer_bench.contract.muon import Muon
from lrfer_bench.contract.optimizers import default_optimizers, normed_convolutions, sgd
from lrfer_bench.contract.preset import Preset, preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.methods.askd import CBAMNet
from lrfer_bench.methods.gmenet import GMENet
from lrfer_bench.nets.classifiers import build_classifier
from lrfer_bench.nets.covpool import CovPoolNet
from lrfer_bench.nets.gan import Critic, Generator
from lrfer_bench.nets.superres import EDSR

CLASSIFIERS = ["lean", "lean2", "resnet18", "resnet18@3x3", "mobilenetv3_small_050", "densenet121"]


def seen_by_norms(net: nn.Module, *inputs: Any) -> set[int]:
    """The weights of plain convolutions whose very output a batch norm was given, in one pass."""
    outputs: dict[int, tuple[torch.Tensor, nn.Conv2d]] = {}
    found: set[int] = set()

    def keep(conv: Any, given: Any, made: torch.Tensor) -> None:
        outputs[id(made)] = (made, conv)

    def look(norm: Any, given: Any) -> None:
        if id(given[0]) in outputs:
            conv = outputs[id(given[0])][1]
            if conv.bias is None and conv.groups == 1:
                found.add(id(conv.weight))

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(keep)
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        net(*inputs)
    return found


def task(preset: Preset, side: int = 48) -> Task:
    return Task(7, 1, (side, side), (4,), preset)


def network(name: str) -> nn.Module:
    method, _, preset = name.partition(" ")
    if method == "askd":
        return CBAMNet(task(preset_of(preset)))
    if method == "gmenet":
        return GMENet(task(preset_of(preset))).net
    if name == "densenet121" and not hasattr(DenseNet, "forward_intermediates"):
        pytest.skip("this timm does not show the stages of DenseNets")
    return build_classifier(name, 7, 1, (48, 48), dropout=0.0)


PRESETS = ("cpu@1", "cpu@2", "paper@1")
OURS = [f"{method} {preset}" for method in ("askd", "gmenet") for preset in PRESETS]


@pytest.mark.parametrize("name", [*CLASSIFIERS, *OURS])
def test_the_rule_finds_what_a_forward_pass_shows(name: str) -> None:
    net = network(name).eval()
    found = [id(weight) for weight in normed_convolutions(net)]
    assert len(found) == len(set(found)) and len(found) >= 7
    assert set(found) == seen_by_norms(net, torch.rand(2, 1, 48, 48))


def test_networks_without_batch_norm_have_none() -> None:
    assert not normed_convolutions(EDSR(1, 4, 8, 2))
    assert not normed_convolutions(Generator(4, 8, 4, 1, kernel=3, skip=True))
    assert not normed_convolutions(Critic(4, (8,), (6, 6)))
    assert len(normed_convolutions(CovPoolNet(7, 1, hidden=8))) == 6


class PreActivation(nn.Module):
    """norm, relu, conv twice, then a sum: the second convolution has no norm behind it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, 1, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, 1, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv2(self.norm2(self.conv1(self.norm1(x).relu())).relu())


def test_what_the_rule_leaves_out() -> None:
    blocks = nn.Sequential(PreActivation(), PreActivation())
    assert [id(w) for w in normed_convolutions(blocks)] == [id(b.conv1.weight) for b in blocks]

    def pair(conv: nn.Module, channels: int = 4) -> list[torch.Tensor]:
        return normed_convolutions(nn.Sequential(conv, nn.BatchNorm2d(channels)))

    assert len(pair(nn.Conv2d(4, 4, 3, bias=False))) == 1
    assert not pair(nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 4, 3, bias=False)))
    assert not pair(nn.Conv2d(4, 4, 3))
    assert not pair(nn.Conv2d(4, 4, 3, groups=4, bias=False))
    assert not pair(nn.Conv2d(4, 4, 3, bias=False), channels=8)
    assert not pair(nn.Conv2d(4, 4, 3, bias=False).requires_grad_(False))
    conv = nn.Conv2d(4, 4, 1, bias=False)
    shared = nn.Sequential(conv, nn.BatchNorm2d(4), nn.Sequential(conv, nn.BatchNorm2d(4)))
    assert len(normed_convolutions(shared)) == 1
    assert not normed_convolutions(nn.Sequential(conv, nn.ReLU(), nn.BatchNorm2d(4)))
    switched = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)])
    assert len(normed_convolutions(nn.Sequential(conv, switched))) == 1
    switched.append(nn.ReLU())
    assert not normed_convolutions(nn.Sequential(conv, switched))
    assert not normed_convolutions(nn.Sequential(conv, nn.ModuleList()))


def peaks(optimizer: torch.optim.Optimizer) -> set[float]:
    return {group["lr"] for group in optimizer.param_groups}


def test_a_preset_of_muon_shares_the_parameters_out() -> None:
    net = build_classifier("lean", 7, 1, (48, 48), dropout=0.0)
    net.linear.bias.requires_grad_(False)  # type: ignore[union-attr]
    preset = dataclasses.replace(preset_of("cpu@1"), optimizer="muon", muon_lr=0.03)
    optimizers = default_optimizers(net, preset)
    assert set(optimizers) == {"main", "muon"} and isinstance(optimizers["muon"], Muon)
    held = [p for o in optimizers.values() for g in o.param_groups for p in g["params"]]
    assert len(held) == len({id(p) for p in held})
    assert {id(p) for p in held} == {id(p) for p in net.parameters() if p.requires_grad}
    assert peaks(optimizers["main"]) == {0.1} and peaks(optimizers["muon"]) == {0.03}
    decays = {
        g["weight_decay"]: {p.ndim for p in g["params"]} for g in optimizers["main"].param_groups
    }
    assert decays == {5e-4: {2, 4}, 0.0: {1}}, "biases and norms do not decay"
    assert set(default_optimizers(EDSR(1, 4, 8, 2), preset)) == {"main"}
    plain = default_optimizers(net, preset_of("cpu@1"))
    assert list(plain) == ["main"] and type(plain["main"]) is type(sgd(net, preset))


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_the_biases_of_batch_norms_learn_faster_where_the_preset_says_so(optimizer: Any) -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    preset = dataclasses.replace(preset_of("cpu@1"), optimizer=optimizer, norm_bias_lr=16.0)
    main = default_optimizers(net, preset)["main"]
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in main.param_groups for p in g["params"]}
    norm, last = net[1], net[2]
    assert rates[id(norm.bias)] == (pytest.approx(1.6), 0.0)
    assert rates[id(norm.weight)] == (0.1, 0.0) and rates[id(last.bias)] == (0.1, 0.0)
    assert rates[id(last.weight)] == (0.1, 5e-4)
    norm.bias.grad = torch.ones(4)
    main.step()  # the first Nesterov step is 1.9 times rate times gradient
    assert torch.allclose(norm.bias, torch.full((4,), -1.9 * 1.6))


def test_an_unknown_optimizer_is_refused() -> None:
    preset = dataclasses.replace(preset_of("cpu"), optimizer="adam")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="adam"):
        default_optimizers(nn.Linear(2, 2), preset)


def test_a_weight_that_is_computed_trains_by_sgd() -> None:
    conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(1, 4, 3, bias=False))
    made = default_optimizers(nn.Sequential(conv, nn.BatchNorm2d(4)), preset_of("cpu@2"))
    assert list(made) == ["main"]
    trained = [id(p) for group in made["main"].param_groups for p in group["params"]]
    assert id(conv.parametrizations.weight.original) in trained
