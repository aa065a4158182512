"""The optimisers that a method gets unless it builds its own: the preset says which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from lrfer_bench.contract.muon import Muon
from lrfer_bench.contract.preset import Preset
from lrfer_bench.errors import UserError


def default_optimizers(module: nn.Module, preset: Preset) -> dict[str, torch.optim.Optimizer]:
    """By name, what trains the parameters of a module under a preset.

    "sgd":  {"main": sgd(module, preset)}
    "muon": {"main": SGD, "muon": Muon for normed_convolutions(module)}, either left out where it
            has nothing to train
    """
    if preset.optimizer == "sgd":
        return {"main": sgd(module, preset)}
    if preset.optimizer != "muon":
        raise UserError(
            f'the optimizer of {preset.id} is "{preset.optimizer}": it takes sgd or muon'
        )
    weights = normed_convolutions(module)
    taken = {id(weight) for weight in weights}
    rest = [p for p in module.parameters() if p.requires_grad and id(p) not in taken]
    optimizers: dict[str, torch.optim.Optimizer] = {}
    if rest or not weights:
        optimizers["main"] = _sgd(rest, preset, _norm_biases(module))
    if weights:
        optimizers["muon"] = Muon(weights, lr=preset.muon_lr)
    return optimizers


def sgd(module: nn.Module, preset: Preset) -> torch.optim.SGD:
    """Nesterov SGD at the preset's peak rate; weight decay is for weights, not biases and norms.

    The biases of batch norms learn at norm_bias_lr times that rate.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    return _sgd(parameters, preset, _norm_biases(module))


def _norm_biases(module: nn.Module) -> set[int]:
    """The ids of the biases of all batch norms."""
    norms = (part for part in module.modules() if isinstance(part, _BatchNorm))
    return {id(norm.bias) for norm in norms if norm.bias is not None}


def _sgd(parameters: Sequence[Tensor], preset: Preset, biases: set[int]) -> torch.optim.SGD:
    fast = [p for p in parameters if id(p) in biases and preset.norm_bias_lr != 1.0]
    taken = {id(p) for p in fast}
    groups: list[dict[str, Any]] = [
        {
            "params": [p for p in parameters if p.ndim > 1],
            "weight_decay": preset.weight_decay,
        },
        {
            "params": [p for p in parameters if p.ndim <= 1 and id(p) not in taken],
            "weight_decay": 0.0,
        },
        {"params": fast, "weight_decay": 0.0, "lr": preset.lr * preset.norm_bias_lr},
    ]
    # foreach: the same bits as one parameter after another, with fewer calls
    return torch.optim.SGD(
        [g for g in groups if g["params"]], lr=preset.lr, momentum=0.9, nesterov=True, foreach=True
    )


def normed_convolutions(module: nn.Module) -> list[Tensor]:
    """The trainable weights of convolutions whose output goes into a batch norm, in order.

    Each weight is listed once. The rule reads the modules, not a forward pass: a Conv2d without
    bias and groups, whose next sibling (in the order in which their parent was given them) is a
    BatchNorm2d of as many channels, or holds nothing but such norms (one for each size of a face,
    say). This is so in nn.Sequential(conv, norm, ...) and in the usual conv1, norm1, conv2, norm2.
    A convolution that is missed trains by SGD, as all others do. A method in which such a pair is
    not conv-then-norm brings its own optimizers().
    """
    found: dict[int, Tensor] = {}
    for parent in module.modules():
        for conv, after in pairwise(parent.children()):
            if _is_normed(conv, after):
                found.setdefault(id(conv.weight), conv.weight)  # type: ignore[arg-type]
    return [weight for weight in found.values() if weight.requires_grad]


def _is_normed(conv: nn.Module, after: nn.Module) -> bool:
    if not isinstance(conv, nn.Conv2d) or conv.bias is not None or conv.groups != 1:
        return False
    if not isinstance(conv.weight, nn.Parameter):  # computed from others, as under spectral norm
        return False
    norms = [after] if isinstance(after, nn.BatchNorm2d) else list(_leaves(after))
    return all(
        isinstance(norm, nn.BatchNorm2d) and norm.num_features == conv.out_channels
        for norm in norms
    )


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    """The module itself, or those in it that hold no others."""
    return (part for part in module.modules() if not any(part.children()))
