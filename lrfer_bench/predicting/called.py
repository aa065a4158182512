"""Whether a user means a record by the name or the label of its method, or by its row's."""

from __future__ import annotations

import re

from lrfer_bench.contract.labels import label_of, same_label
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.store.names import AND
from lrfer_bench.store.schema import MethodPart

_WITH_STAGES = re.compile(r"(?P<label>\S.*?) \((?P<stages>.+)\)", re.DOTALL)


def is_called(text: str, method: MethodPart) -> bool:
    """Whether a user means this method by its name, by a label, or by the label of its row.

    Numbers in a label may be written in another way. A former name and the name of today mean the
    same. A label without stages means the method whatever its stages are.

    >>> gmenet = MethodPart(name="gmenet", version="1", source="", settings={"kd_weight": 0.0})
    >>> is_called("gmenet", gmenet), is_called("gmenet[kd_weight=0]", gmenet)
    (True, True)
    >>> is_called("enlarge", MethodPart(name="bicubic", version="1", source=""))
    True
    >>> changed = ["classifier[epochs=4x]"]
    >>> kd = MethodPart(name="kd", version="1", source="", stage_settings=changed)
    >>> is_called("kd (classifier[epochs=4x])", kd), is_called("kd (classifier[epochs=2x])", kd)
    (True, False)
    """
    if METHODS.current_label(text) == METHODS.current(method.name) or _is_label(text, method):
        return True
    found = _WITH_STAGES.fullmatch(text)
    return found is not None and is_called(found["label"], method) and _are(found["stages"], method)


def is_row(text: str, method: MethodPart) -> bool:
    """Whether a label is that of this method's row: its settings and its stages, and no others."""
    if not method.stage_settings:
        return _is_label(text, method)
    found = _WITH_STAGES.fullmatch(text)
    return found is not None and _is_label(found["label"], method) and _are(found["stages"], method)


def _is_label(text: str, method: MethodPart) -> bool:
    today = label_of(METHODS.current(method.name), method.settings)
    return same_label(METHODS.current_label(text), today)


def _are(text: str, method: MethodPart) -> bool:
    """Whether a text between the brackets of a row's label names the stages of this method."""
    stages = sorted(set(method.stage_settings or ()))
    named = sorted(set(text.split(AND)))
    alike = len(named) == len(stages) and all(map(same_label, named, stages))
    return alike or text == AND.join(stages)
