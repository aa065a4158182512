"""What a check of a method finds. Needs neither torch nor the method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "failed", "skipped", "note"]


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    check:  its id, or what else was noticed ("prints")
    title:  what the check is about, a few words
    detail: what was measured, or a sentence that ends with a line of the author's file
    """

    check: str
    title: str
    state: State
    detail: str = ""


class RuleBroken(Exception):
    """The method broke a rule; the sentence ends with a line of the author's file."""


class DoesNotApply(Exception):
    """A check has nothing to look at in this kind of method; the text says why."""
