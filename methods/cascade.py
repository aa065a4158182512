"""Super-resolution, then recognition: two networks that were trained separately."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor

from lrfer_bench.api import (
    Method,
    Need,
    Preset,
    Task,
    UserError,
    content_of,
    register_method,
    superres,
)
from lrfer_bench.methods.stages import classifier_of


@register_method("cascade")
class Cascade(Method):
    """The super-resolver of the scale, then the HR classifier, both as they are.

    sr_checkpoint: a file with a published super-resolver that spandrel knows, in place of our own.
    """

    trains = "nothing"

    @classmethod
    def canonical_settings(cls, settings: Mapping[str, Any], preset: Preset) -> Mapping[str, Any]:
        """The checkpoint counts by its content, so that its path makes no new result."""
        if not settings["sr_checkpoint"]:
            return settings
        if find_spec("spandrel") is None:
            raise UserError(
                "cascade.sr_checkpoint needs the package spandrel: "
                'pip install "lrfer-bench[sr]", or leave the setting out'
            )
        content = content_of("cascade.sr_checkpoint", settings["sr_checkpoint"])
        return {**settings, "sr_checkpoint": content}

    @classmethod
    def needs_for(cls, settings: Mapping[str, Any], hr: bool) -> dict[str, Need]:
        own = {} if settings["sr_checkpoint"] else {"superres": Need("superres", "lr")}
        return {**own, "classifier": Need("classifier", "hr")}

    def __init__(self, task: Task, *, sr_checkpoint: str = "") -> None:
        super().__init__(task)
        self.published = superres.Published(Path(sr_checkpoint)) if sr_checkpoint else None

    def forward(self, lr: Tensor) -> Tensor:
        return classifier_of(self.stages).net(self.restored(lr))

    def restored(self, lr: Tensor) -> Tensor:
        """The HR face that the classifier is shown: float [B, C, H, W] in 0..1."""
        if self.published is not None:
            return self.published(lr, self.task.size)
        return self.stages["superres"](lr)
