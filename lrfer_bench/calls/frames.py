"""Tables for Python callers: what one looks for stands first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from lrfer_bench.reporting.frame import FIRST

if TYPE_CHECKING:
    from lrfer_bench.predicting.photos import Answers


def led(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with method, scale, accuracy and its interval in front; the rest keeps its order."""
    first = [name for name in FIRST if name in frame.columns]
    return frame[[*first, *(name for name in frame.columns if name not in first)]]


def answers_frame(answers: Answers) -> pd.DataFrame:
    """A line a picture: image, expression, probability, that of every class, scale."""
    rows = []
    for face in answers.faces:
        assert face.shares is not None
        best = int(face.shares.argmax())
        shares = {name: float(s) for name, s in zip(answers.classes, face.shares, strict=True)}
        about = {"image": str(face.path), "expression": answers.classes[best]}
        probability = {"probability": float(face.shares[best])}
        rows.append({**about, **probability, **shares, "scale": face.cell.test.scale})
    return pd.DataFrame(rows)
