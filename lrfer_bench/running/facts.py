"""What stands beside the weights of a model on disk: a sealed JSON file of its training's cost."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lrfer_bench.files import is_no_fault, not_now, read_json, write_atomically
from lrfer_bench.keys import is_intact, sealed
from lrfer_bench.store.schema import Amount, Count, Finite, Hash, Pixels


class _Row(BaseModel):
    """An epoch."""

    epoch: Count
    seconds: Amount
    losses: dict[str, Finite]
    val_score: Finite | None = None


class _Facts(BaseModel):
    """Models of earlier versions have no seal, some no image, settings, stages or arithmetic."""

    key: Hash
    sha256: Hash
    seconds: Amount
    rule: str
    epoch: Count
    epochs: Count
    history: list[_Row]
    peak_memory_mb: Amount
    arithmetic: str = ""
    method: str = ""
    image: tuple[Pixels, Pixels, Pixels] | None = None
    settings: dict[str, Any] = {}
    stages: dict[str, Hash] = {}


def write_facts(path: Path, content: Mapping[str, Any]) -> None:
    """Write and seal. A score that is not finite is written as none."""
    plain = json.loads(json.dumps(content), parse_constant=lambda word: None)
    write_atomically(path, (json.dumps(sealed(plain), indent=1) + "\n").encode())


def read_facts(path: Path) -> dict[str, Any]:
    """What write_facts() wrote; {} where the file is missing, damaged or was edited.

    MachineError where it cannot be read now.
    """
    try:
        content = read_json(path)
        if isinstance(content, dict) and is_intact(content):
            _Facts.model_validate(content)
            return content
    except OSError as error:
        if is_no_fault(error):
            raise not_now(path, error) from error
    except ValueError:  # pydantic's ValidationError is one
        pass
    return {}


def finite_or_none(score: float | None) -> float | None:
    """A validation score as a record may hold it."""
    return score if score is not None and math.isfinite(score) else None
