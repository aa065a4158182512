"""What methods share whose own network can start from a file of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from lrfer_bench.api import Method, Preset, Task, classifier_content, start_from


class Started(Method):
    """A method with a setting `weights`: a file that its network starts from, all but the head."""

    added = ("weights",)
    started: str = ""
    """A line about the weights, "" from scratch."""

    @classmethod
    def canonical_settings(cls, settings: Mapping[str, Any], preset: Preset) -> Mapping[str, Any]:
        """What it starts from counts by its content."""
        return classifier_content(settings, preset.classifier)

    @classmethod
    def notes_for(cls, settings: Mapping[str, Any], task: Task) -> list[str]:
        """What was taken of its weights; UserError where they do not fit."""
        return [cls(task, **settings).started] if settings.get("weights") else []

    def start(self, net: nn.Module, weights: str, head: Sequence[str] = ()) -> None:
        """Give the network its weights, where there are some.

        head: the first parts of names that stay as they were made
        """
        if weights:
            self.started = start_from(net, weights, type(self).__name__.lower(), head)
