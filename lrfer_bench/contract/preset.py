"""Presets: named, versioned training budgets. The same budget for every method is what makes a row comparable."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from lrfer_bench.errors import UserError, did_you_mean


@dataclass(frozen=True)
class Preset:
    """One budget.

    epochs:     passes over the training split, for each trained model
    batch:      faces a step
    lr:         peak learning rate of the SGD that a method gets unless it builds its own optimiser
    ema:        decay of the running mean of the weights that is tested and kept; 0 keeps the last step's weights
    selection:  "last" or "best-val" (see training/selection.py); no rule looks at the test split
    shift:      random shifts of at most so many HR pixels; flips are always on
    compute:    "small" (two cores) or "large" (a GPU): by this a method chooses its widths
    classifier: the classifier network, "lean" or a name that timm knows
    """

    name: str
    version: int
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
    compute: Literal["small", "large"]
    classifier: str

    @property
    def id(self) -> str:
        """Name and version, as keys, records and tables show it: "cpu@1"."""
        return f"{self.name}@{self.version}"

    @property
    def large(self) -> bool:
        """Whether there is a GPU's time for networks of the papers' widths."""
        return self.compute == "large"

    def content(self) -> dict[str, Any]:
        """All that a result depends on, for keys: everything but the prose."""
        content = asdict(self)
        del content["summary"]
        return content


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="quick", version=1, summary="minutes on two cores: to see that all works, and to teach",
            epochs=10, batch=64, lr=0.08, weight_decay=5e-4, label_smoothing=0.1, dropout=0.2, ema=0.99,
            selection="last", shift=4, compute="small", classifier="lean",
        ),
        Preset(
            name="cpu", version=1, summary="honest small runs on real data: 20 to 45 minutes of one core a model on FER2013",
            epochs=14, batch=128, lr=0.1, weight_decay=5e-4, label_smoothing=0.1, dropout=0.2, ema=0.998,
            selection="last", shift=4, compute="small", classifier="lean",
        ),
        Preset(
            name="paper", version=1, summary="a GPU and the papers' sizes: ResNet-18, 100 epochs",
            epochs=100, batch=128, lr=0.1, weight_decay=5e-4, label_smoothing=0.1, dropout=0.2, ema=0.999,
            selection="best-val", shift=4, compute="large", classifier="resnet18@3x3",
        ),
    )
}  # fmt: skip


def preset_of(name: str | Preset) -> Preset:
    """The preset of a name, or the preset itself; UserError with the nearest name."""
    if isinstance(name, Preset):
        return name
    if name not in PRESETS:
        raise UserError(f'there is no preset "{name}": {did_you_mean(name, PRESETS)}')
    return PRESETS[name]
