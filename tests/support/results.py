"""Results folders made from others."""

from __future__ import annotations

import shutil
from pathlib import Path


def copy_of(trained: Path, target: Path) -> Path:
    """Records and logits as another machine would send them: without models."""
    for part in ("records", "logits"):
        shutil.copytree(trained / part, target / part)
    return target
