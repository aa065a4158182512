"""Presets: named, versioned training budgets.

The same budget for every method is what makes a row comparable.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, replace
from typing import Any, Literal

from lrfer_bench.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Preset:
    """One budget.

    epochs:        passes over the training split, for each trained model
    batch:         faces a step
    lr:            peak rate of SGD
    ema:           decay a step of the running mean of the weights, which is tested and kept; 0
                   keeps the weights of the last step
    selection:     "last" or "best-val" (see training/selection.py); no rule looks at the test split
    shift:         random shifts of at most so many HR pixels
    compute:       "tiny" (minutes of two cores), "small" (hours) or "large" (a GPU): by this a
                   method chooses its widths
    classifier:    the classifier network: "lean", "lean2", "lean2-half" or a name that timm knows
    optimizer:     what a method gets unless it builds its own: "sgd", or "muon" for the
                   convolutions that a batch norm follows and SGD for the rest (see
                   contract/optimizers.py)
    muon_lr:       peak rate of Muon
    norm_bias_lr:  the rate of batch norms' biases, as a factor of SGD's (airbench, Jordan 2024)
    flips:         "random": each face is mirrored or not by chance in each epoch; "alternating":
                   by chance in the first one, then in turns (airbench)
    warm_up:       share of the steps in which rates rise to their peak, between 0 and 1
    ema_every:     steps between two updates of the running mean
    network_input: side of the images that lean2 works on: "hr", or "by-scale" for fewer pixels
                   where the faces have few (see Task.input_size)
    precision:     number format of training: "fp32", or "bf16" or "fp16" by torch's autocast;
                   validation and test are in fp32 always
    targets:       what Method.cross_entropy() compares with: the "majority" of annotators (the
                   label), or "soft": their votes, where the data set has them
    draft:         its numbers may still change; it is used by its id only, and its results have
                   keys that no final preset's results have

    Fields with a default came after version 1, and their defaults are what version 1 does. So that
    the keys of old results stay, content() leaves such a field out at its default: never change
    one.
    """

    name: str
    version: int | str
    summary: str
    epochs: int
    batch: int
    lr: float
    weight_decay: float
    label_smoothing: float
    dropout: float
    ema: float
    selection: Literal["last", "best-val"]
    shift: int
    compute: Literal["tiny", "small", "large"]
    classifier: str
    optimizer: Literal["sgd", "muon"] = "sgd"
    muon_lr: float = 0.02
    norm_bias_lr: float = 1.0
    flips: Literal["random", "alternating"] = "random"
    warm_up: float = 0.25
    ema_every: int = 1
    network_input: Literal["hr", "by-scale"] = "hr"
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    targets: Literal["majority", "soft"] = "majority"
    draft: bool = False

    @property
    def id(self) -> str:
        """Name and version, as keys, records and tables show it: "cpu@1"."""
        return f"{self.name}@{self.version}"

    @property
    def large(self) -> bool:
        """Whether there is a GPU's time for networks of the papers' widths."""
        return self.compute == "large"

    def settings(self) -> dict[str, Any]:
        """Every field but the prose."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "summary"}

    def content(self) -> dict[str, Any]:
        """What a result depends on, for keys: settings() without those at their default."""
        defaults = {f.name: f.default for f in fields(self)}
        return {
            k: v for k, v in self.settings().items() if defaults[k] is MISSING or v != defaults[k]
        }


_QUICK = Preset(
    name="quick", version=1, summary="minutes on two cores: to see that all works, and to teach",
    epochs=10, batch=64, lr=0.08, weight_decay=5e-4, label_smoothing=0.1, dropout=0.2, ema=0.99,
    selection="last", shift=4, compute="small", classifier="lean",
)  # fmt: skip
_CPU = Preset(
    name="cpu", version=1,
    summary="honest small runs on real data: 20 to 45 minutes of one core a model on FER2013",
    epochs=14, batch=128, lr=0.1, weight_decay=5e-4, label_smoothing=0.1, dropout=0.2, ema=0.998,
    selection="last", shift=4, compute="small", classifier="lean",
)  # fmt: skip
_PAPER = Preset(
    name="paper", version=1, summary="a GPU and the papers' sizes: ResNet-18, 100 epochs",
    epochs=100, batch=128, lr=0.1, weight_decay=5e-4, label_smoothing=0.1, dropout=0.2, ema=0.999,
    selection="best-val", shift=4, compute="large", classifier="resnet18@3x3",
)  # fmt: skip

_AIR: dict[str, Any] = {
    "optimizer": "muon", "norm_bias_lr": 16.0, "warm_up": 0.15, "flips": "alternating", "shift": 3,
    "dropout": 0.1, "ema_every": 4,
}  # fmt: skip
"""What trains better for the same cost, by pilots on FER2013's validation faces."""

PRESETS: dict[str, Preset] = {
    preset.id: preset
    for preset in (
        _QUICK,
        replace(
            _QUICK, version=2,
            summary="minutes on two cores: to see that all works, to teach; too small for claims",
            classifier="lean2-half", compute="tiny", network_input="by-scale",
            **_AIR,
        ),
        _CPU,
        replace(
            _CPU, version=2, summary="honest small runs on real data: a quarter of an hour of one "
                                     "core for a classifier on FER2013",
            epochs=14, classifier="lean2", network_input="by-scale", **_AIR,
        ),
        _PAPER,
        replace(_PAPER, version=2, draft=True, **_AIR),
    )
}  # fmt: skip
"""By id ("cpu@1").

A finished preset never changes: better numbers get a new version, and old ones stay.
"""


MEANT = {
    "gpu": "paper", "cuda": "paper", "full": "paper", "large": "paper", "long": "paper",
    "fast": "quick", "small": "quick", "tiny": "quick", "short": "quick", "default": "quick",
}  # fmt: skip
"""What newcomers call a preset."""


def preset_of(name: str | Preset) -> Preset:
    """The preset of an id ("cpu@1"), the newest final one of a name ("cpu"), or the preset itself.

    UserError for an unknown name, with the nearest one, and for an unknown version, with those
    there are.
    """
    if isinstance(name, Preset):
        return name
    bare = name.partition("@")[0]
    versions = [preset for preset in PRESETS.values() if preset.name == bare]
    if not versions:
        names = sorted({preset.name for preset in PRESETS.values()})
        raise UserError(f'there is no preset "{name}": {did_you_mean(bare, names, MEANT)}')
    if name == bare:
        final = [preset for preset in versions if not preset.draft]
        return max(final, key=lambda preset: preset.version)
    if name not in PRESETS:
        known = " and ".join(preset.id for preset in versions)
        raise UserError(f'there is no preset "{name}": this lrfer-bench has {known}')
    return PRESETS[name]
