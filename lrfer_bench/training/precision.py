"""The number format of a training: float32, or half precision where torch's autocast takes it.

Weights, optimisers, the running mean, validation and test stay in float32.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from lrfer_bench.contract.preset import Preset

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Precision:
    """name: that of Preset.precision; device: the kind that computes, such as "cuda"."""

    name: str
    device: str

    @staticmethod
    def of(preset: Preset, device: torch.device) -> Precision:
        """The precision that a preset asks for, on a device."""
        return Precision(preset.precision, device.type)

    def autocast(self) -> AbstractContextManager[None]:
        """A context in which products are made in this precision; nothing for fp32."""
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self.device, dtype=TYPES[self.name])

    def scaler(self) -> torch.amp.GradScaler | None:
        """What keeps small gradients from vanishing in fp16; the other formats need none."""
        return torch.amp.GradScaler(self.device) if self.name == "fp16" else None
