"""Where things stand, so that a test may move without losing them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""

PLUGINS = Path(__file__).parent / "plugins"
"""Plugin files as users write them, good and bad."""

TINY = PLUGINS / "tiny.py"
"""A plugin file with quick methods and a small data set, "tinyfaces"."""

REFERENCE = ROOT / "results" / "reference"
REFERENCE_GPU = ROOT / "results" / "reference-gpu"
REFERENCE_CPU1 = ROOT / "results" / "reference-cpu1"
"""The published records."""
