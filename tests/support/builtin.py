"""The methods that come with the package, from the registry."""

from __future__ import annotations

from lrfer_bench.contract.cards import MethodCard, card_of
from lrfer_bench.plugins.registry import METHODS

OURS = [entry for entry in METHODS if entry.module.startswith("lrfer_bench.methods")]
LISTED = [entry.name for entry in OURS if card_of(entry, MethodCard).listed]
