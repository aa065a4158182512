"""Protocol: how an LR face is made from the HR one. Named, versioned, deterministic per image."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from lrfer_bench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

HR = "hr"
"""The training condition "HR images only".

No protocol is at work there, so one HR classifier serves all protocols.
"""


class Protocol(ABC):
    """A degradation.

    Write degrade(); the harness calls it with scales of 2 and more only: scale 1 is the HR image
    itself.
    version: raise it whenever a single pixel would come out otherwise; old and new results then
             never meet in one table.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    summary: ClassVar[str] = ""
    details: ClassVar[str] = ""
    same_on_gpu: ClassVar[bool] = False
    """Whether degrade() gives the same bytes for tensors on a GPU, for it computes exactly.

    Others work on the processor, in a thread that is ahead of a GPU's training.
    """
    guarded: bool = True
    """Whether degrade() gets a copy of hr, and is tried for steadiness before it is used.

    For the built-in ones, which tests prove, the registry turns it off (plugins/degradation.py).
    A class of one's own that derives from one of them is guarded.
    """

    @property
    def id(self) -> str:
        """Name and version: "bicubic@1"."""
        return f"{self.name}@{self.version}"

    @abstractmethod
    def degrade(self, hr: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
        """uint8 [B, C, H, W] -> uint8 [B, C, *size].

        seeds: int64 [B], one for each image, for all that may be random. The same image, scale and
        seed give the same bytes, whatever else is in the batch. hr may be written into.
        """

    def apply(self, hr: Tensor, scale: int, seeds: Tensor) -> Tensor:
        """degrade() with the size worked out, scale 1 passed through and the result checked.

        hr is left as it is, whatever degrade() writes into.
        """
        if scale == 1:
            return hr
        size = lr_size((int(hr.shape[-2]), int(hr.shape[-1])), scale)
        # hr is also what methods are shown as HR faces.
        given = hr.clone() if self.guarded else hr
        lr = self.degrade(given, size, scale, seeds)
        if not isinstance(lr, type(hr)):
            raise UserError(
                f"protocol {self.id} returned a {type(lr).__name__}: it has to return a tensor "
                f"uint8 {(*hr.shape[:2], *size)}"
            )
        if lr.dtype != hr.dtype or tuple(lr.shape) != (*hr.shape[:2], *size):
            raise UserError(
                f"protocol {self.id} returned {lr.dtype} {tuple(lr.shape)}: "
                f"it has to return uint8 {(*hr.shape[:2], *size)}"
            )
        return lr


class Identity(Protocol):
    """The degradation of the condition "HR": faces stay as they are.

    With it, no code has to ask whether there is a degradation.
    """

    name = HR
    summary = "the HR images themselves"
    same_on_gpu = True
    guarded = False

    @property
    def id(self) -> str:
        return HR

    def degrade(self, hr: Tensor, size: tuple[int, int], scale: int, seeds: Tensor) -> Tensor:
        """The images as they are."""
        return hr

    def apply(self, hr: Tensor, scale: int, seeds: Tensor) -> Tensor:
        """The images as they are, at every scale."""
        return hr


def lr_size(size: tuple[int, int], scale: int) -> tuple[int, int]:
    """Height and width of the LR image: ceil(side / scale)."""
    return math.ceil(size[0] / scale), math.ceil(size[1] / scale)


def check_scale(scale: int, size: tuple[int, int]) -> int:
    """The scale, or a UserError where no image would be left."""
    if scale < 1:
        raise UserError(
            f"the scale {scale} is not possible: scales are whole numbers of 1 (HR) or more"
        )
    if scale > min(size):
        raise UserError(
            f"the scale {scale} is larger than the images ({size[1]}x{size[0]} pixels): choose one "
            f"up to {min(size)}"
        )
    return scale
