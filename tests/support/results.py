"""Results folders: made from others, and what in them must be the same bits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lrfer_bench.keys import checksum


def copy_of(trained: Path, target: Path) -> Path:
    """Records and logits as another machine would send them: without models."""
    for part in ("records", "logits"):
        shutil.copytree(trained / part, target / part)
    return target


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record's file and seal it again, as if it had been written so."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps({**content, "content_sha256": checksum(content)}))


def bits(results: Path, *patterns: str) -> dict[str, Any]:
    """What must be the same whoever made it, and however often it was interrupted.

    Key, metrics, logits and history of every record, without times; and the bytes of files that
    fit a pattern, such as "models/*.safetensors".
    """
    found: dict[str, Any] = {}
    for path in sorted((results / "records").glob("*.json")):
        content = json.loads(path.read_text())
        rows = [{k: v for k, v in row.items() if k != "seconds"} for row in content["history"]]
        found[path.name] = (content["key"], content["metrics"], content["logits_sha256"], rows)
    for pattern in patterns:
        found |= {path.name: path.read_bytes() for path in sorted(results.glob(pattern))}
    return found
