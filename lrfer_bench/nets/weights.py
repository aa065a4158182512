"""Weights to start from, fitted to a network by the names and shapes of its tensors."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lrfer_bench.errors import UserError
from lrfer_bench.files import default_cache
from lrfer_bench.nets.later import waiting
from lrfer_bench.nets.weight_files import COUNTER, State, common_prefix, read_chosen
from lrfer_bench.plugins.contents import found

Shapes = Mapping[str, tuple[int, ...]]

LEAST = 0.9
"""Share of a network's backbone that weights must fit."""
COMMON = (
    "resnet18", "resnet34", "resnet50", "resnet101", "resnext50_32x4d", "seresnet50", "vgg16",
    "vgg16_bn", "densenet121", "mobilenetv2_100", "mobilenetv3_large_100", "efficientnet_b0",
    "efficientnet_b2", "convnext_tiny", "convnext_small", "convnextv2_tiny",
    "swin_tiny_patch4_window7_224", "vit_tiny_patch16_224", "vit_small_patch16_224",
    "vit_base_patch16_224",
    "vit_small_patch14_dinov2", "vit_base_patch14_dinov2", "vit_base_patch16_clip_224",
    "resnet50_clip",
)  # fmt: skip
"""Architectures that weights which fit badly are compared with."""


@dataclass(frozen=True)
class Fit:
    """How weights fit a network. pairs: name in the network -> name in the file.

    folded: names of first convolutions whose channels differ
    missing, misfit, left: names that the file lacks, whose shapes differ, that nobody wants
    share: of the backbone that fits, the smaller one of tensors and of numbers
    """

    pairs: Mapping[str, str]
    folded: tuple[str, ...]
    missing: tuple[str, ...]
    misfit: tuple[str, ...]
    left: tuple[str, ...]
    share: float


def fit_of(wanted: Shapes, held: Shapes, head: Sequence[str]) -> Fit:
    """Match by name and shape, under the prefix in the file that fits most names.

    head: the first parts of names of the head, which is not matched
    """
    backbone = {name: shape for name, shape in wanted.items() if not _is_head(name, head)}
    prefix = next(iter(_best_prefixes(backbone, held)), "")
    pairs, folded, missing, misfit = {}, [], [], []
    for name, shape in backbone.items():
        other = held.get(prefix + name)
        if other is None:
            missing.append(name)
        elif other == shape:
            pairs[name] = prefix + name
        elif _folds(shape, other):
            pairs[name] = prefix + name
            folded.append(name)
        else:
            misfit.append(f"{name} ({_said(other)}, not {_said(shape)})")
    used = {*pairs.values(), *(prefix + name.partition(" ")[0] for name in misfit)}
    left = tuple(name for name in held if name not in used)
    numbers = sum(_count(backbone[name]) for name in pairs) / max(
        sum(map(_count, backbone.values())), 1
    )
    share = min(numbers, len(pairs) / max(len(backbone), 1))
    return Fit(pairs, tuple(folded), tuple(missing), tuple(misfit), left, share)


def start_from(net: nn.Module, weights: str, name: str, head: Sequence[str] = ()) -> str:
    """Give a network the weights of a file; a line says what was taken and what was not.

    weights: a path, or a content as keys know it ("sha256:...")
    name: what messages call the network; head: see fit_of()

    The head stays as it was made. UserError where less than 90 % of the rest fits, with the
    architecture that is nearest. Within filled_later() nothing is read yet.
    """
    later = waiting()
    if later is None:
        return _fill(net, weights, name, head)
    later.append((net, partial(_fill, net, weights, name, head)))
    return ""


def fill_exactly(net: nn.Module, weights: str, name: str) -> str:
    """Give a network all weights of a file, head included, by names and shapes.

    weights, name: as in start_from(). A line says what was taken where the file holds more than one
    network, else "". UserError unless each tensor of one is a tensor of the other.
    """
    file, state, said = _read(weights, net)
    own, _, fit = _fitted(net, state, ())
    wrong = {
        "missing in the file": fit.missing,
        "of another shape": (*fit.misfit, *fit.folded),
        f"unknown to {name}": fit.left,
    }
    if any(wrong.values()):
        faults = "; ".join(f"{what}: {_some(names)}" for what, names in wrong.items() if names)
        raise UserError(
            f"the weights {file.name} do not fit {name} ({faults}): give the weights that it was "
            "saved with, or let it read them itself"
        )
    with torch.no_grad():
        for target, source in fit.pairs.items():
            own[target].copy_(state[source])
    return f"weights {file.name}: taken are those of {said}" if said else ""


def _fill(net: nn.Module, weights: str, name: str, head: Sequence[str]) -> str:
    file, state, said = _read(weights, net)
    called = file.name.removesuffix(".safetensors")
    own, head, fit = _fitted(net, state, head)
    if fit.share < LEAST:
        raise UserError(_refusal(called, name, fit, state))
    with torch.no_grad():
        for target, source in fit.pairs.items():
            value = state[source]
            if target in fit.folded:
                value = folded(value, own[target].shape[1])
            own[target].copy_(value)
    line = _line(called, name, fit, len(state))
    line += f"; taken from {said}" if said else ""
    alike = _alike(own, state, head)
    return f"{line}; taken from {alike[0]}, and not from {_some(alike[1:])}" if alike else line


def _alike(own: State, state: State, head: Sequence[str]) -> list[str]:
    """Prefixes under which a file has the same network several times; what is taken comes first."""
    backbone = {name: shape for name, shape in _shapes(own).items() if not _is_head(name, head)}
    prefixes = _best_prefixes(backbone, _shapes(state))
    return [prefix or "names without a prefix" for prefix in prefixes] if prefixes[1:] else []


def _read(weights: str, net: nn.Module) -> tuple[Path, dict[str, Tensor], str]:
    """The file of a setting, its tensors under the names that the network has, and which they are.

    Which: see read_chosen().
    """
    file = found("weights", weights)
    try:
        state, said = read_chosen(file)
        return file, _as_timm_has_it(state, net), said
    except OSError as error:
        raise UserError(
            f"the weights {file} cannot be read ({error.strerror or error}): check the path"
        ) from error
    except UserError as error:
        if not file.is_relative_to(default_cache().absolute()):
            raise
        # of a copy in the cache the user knows the name alone
        raise UserError(str(error).replace(str(file), file.name)) from error


def _fitted(
    net: nn.Module, state: State, head: Sequence[str]
) -> tuple[dict[str, Tensor], Sequence[str], Fit]:
    """(tensors of a network by name, its head, how they fit a file), under the names that fit best.

    A wrapper with all in `self.model` has a prefix, which may be taken off the names of its file.
    """
    own = {k: v for k, v in net.state_dict().items() if not k.endswith(COUNTER)}
    fit, prefix = fit_of(_shapes(own), _shapes(state), head), common_prefix(own)
    short = {name.removeprefix(prefix): value for name, value in own.items()}
    parts = [part.removeprefix(prefix) for part in head]
    other = fit_of(_shapes(short), _shapes(state), parts)
    return (short, parts, other) if other.share > fit.share else (own, head, fit)


def folded(kernel: Tensor, channels: int) -> Tensor:
    """A first convolution [O, I, h, w] for another number of channels, as timm does it.

    Grey from colour: the sum over channels. Colour from grey: a third for each channel.
    """
    grey = kernel.float().sum(1, keepdim=True)
    return grey.expand(-1, channels, -1, -1) / channels


def _as_timm_has_it(state: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Names and shapes of other libraries (CLIP, DINOv2) as timm's own filter makes them."""
    module = importlib.import_module(type(net).__module__)
    convert = getattr(module, "checkpoint_filter_fn", None)
    if convert is None or not type(net).__module__.startswith("timm."):
        return state
    try:
        with torch.no_grad():
            made = convert(dict(state), net)
    except Exception:  # names that it does not know: they are matched as they are
        return state
    return {name: value for name, value in made.items() if isinstance(value, Tensor)}


def _best_prefixes(wanted: Shapes, held: Shapes) -> list[str]:
    """The prefixes in the file under which most names of the network stand, the shortest first."""
    counts: Counter[str] = Counter()
    for name in held:
        at = 0
        while True:
            if name[at:] in wanted:
                counts[name[:at]] += 1
            dot = name.find(".", at)
            if dot < 0:
                break
            at = dot + 1
    most = max(counts.values(), default=0)
    return sorted((prefix for prefix in counts if counts[prefix] == most), key=len)


def _is_head(name: str, head: Sequence[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in head)


def _folds(wanted: tuple[int, ...], held: tuple[int, ...]) -> bool:
    """Whether two kernels differ only in being for grey and for colour."""
    if len(wanted) != 4 or len(held) != 4 or {wanted[1], held[1]} != {1, 3}:
        return False
    return wanted[0] == held[0] and wanted[2:] == held[2:]


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _said(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"


# Telling


def _line(called: str, name: str, fit: Fit, held: int) -> str:
    said = f"weights {called}: {len(fit.pairs)} of {held} tensors taken, {fit.share:.0%} of "
    said += f"{name} without its head"
    if fit.folded:
        said += f"; folded for another number of channels: {_some(fit.folded)}"
    said += f"; left in the file: {_some(fit.left)}; did not fit: {_some(fit.misfit)}"
    return f"{said}; not in the file: {_some(fit.missing)}" if fit.missing else said


def _refusal(called: str, name: str, fit: Fit, state: State) -> str:
    nearest, share = nearest_architecture(state)
    hint = (
        f"they fit {share:.0%} of {nearest}: say arch={nearest}"
        if share > max(fit.share, 0.5)
        else f"no usual architecture fits better; the file's first names are {_some(list(state))}"
    )
    wrong = f"; did not fit: {_some(fit.misfit)}" if fit.misfit else ""
    return (
        f"the weights {called} fit {fit.share:.0%} of {name} without its head, which is less than "
        f"{LEAST:.0%}{wrong}; {hint}"
    )


def nearest_architecture(state: State) -> tuple[str, float]:
    """(timm's name of the usual architecture that weights fit best, share of it that fits).

    That of ResNet-34 fits ResNet-18 whole, too, so what is left in the file counts as well.
    """
    import timm

    best, most, fits = "", 0.0, 0.0
    for name in COMMON:
        if not timm.is_model(name):
            continue
        try:
            with torch.device("meta"):
                net: Any = timm.create_model(name, pretrained=False)
        except RuntimeError:  # old versions of timm cannot build some without numbers
            continue
        head = heads_of(net)
        try:
            held = _shapes(_as_timm_has_it(dict(state), net))
        except (RuntimeError, NotImplementedError):
            held = _shapes(state)
        wanted = {k: v for k, v in _shapes(net.state_dict()).items() if not k.endswith(COUNTER)}
        fit = fit_of(wanted, held, head)
        closeness = fit.share * len(fit.pairs) / len(held)
        if closeness > most:
            best, most, fits = name, closeness, fit.share
    return best, fits


def heads_of(net: Any) -> tuple[str, ...]:
    """The names of the parts of a timm network that answer classes."""
    named = net.pretrained_cfg.get("classifier") or ()
    return (named,) if isinstance(named, str) else tuple(named)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:4]) or "nothing"
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
