"""What lines for people call a recorded cell: as plans call it before it is run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.protocol import HR
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.store.schema import Record

AND = " and "
"""Between the stages that a row's label names."""


def method_label(record: Record) -> str:
    """Its method as tables call it today, with the settings that its user changed."""
    return METHODS.label(record.method.name, record.method.settings)


def row_label(record: Record) -> str:
    """method_label() as the table's row has it: with what was changed of the method's stages."""
    return with_stages(method_label(record), record.method.stage_settings or ())


def with_stages(label: str, stages: Iterable[str]) -> str:
    """A method's label with those of its stages that have changed settings.

    >>> with_stages("kd", ["classifier[epochs=4x]"])
    'kd (classifier[epochs=4x])'
    """
    names = AND.join(sorted(set(stages)))
    return f"{label} ({names})" if names else label


def dataset_label(name: str, fingerprint: str) -> str:
    """A data set with the head of its fingerprint: "ferplus (20dd5c3f)"."""
    return f"{name} ({fingerprint[:8]})"


def dataset_names(records: Iterable[Record]) -> dict[str, str]:
    """Fingerprint -> what tables call the data set: dataset_label() where its name has several.

    The same faces under several names are one data set, as their keys are the same: it has the name
    of most of its records, of equally many the first.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        found[record.dataset.fingerprint][record.dataset.name] += 1
    names = {
        fingerprint: min(counts, key=lambda name: (-counts[name], name))
        for fingerprint, counts in found.items()
    }
    shared = Counter(names.values())
    return {
        fingerprint: name if shared[name] == 1 else dataset_label(name, fingerprint)
        for fingerprint, name in names.items()
    }


def trained_on(record: Record) -> str:
    """ "camera@1 x4", "bicubic@1 x2,4,8", "HR" where its stages saw no other, else "nothing"."""
    train = record.train
    if train.protocol == HR or (record.stages and not train.scales):
        return "HR"
    return Condition(train.protocol, tuple(train.scales)).label if train.scales else "nothing"


def _tested_on(record: Record) -> str:
    return Condition(record.test.protocol, (record.test.scale,)).label


def elsewhere(record: Record) -> str:
    """ "trained on camera@1 x4" where LR faces of other kinds or sizes were tested, else ""."""
    trained = trained_on(record)
    alike = trained in ("HR", "nothing", _tested_on(record))
    return "" if alike else f"trained on {trained}"


def cell_name(record: Record) -> str:
    """How lines about a cell begin: "direct, bicubic@1 x4, seed 0 (trained on camera@1 x4)"."""
    origin = elsewhere(record)
    name = f"{method_label(record)}, {_tested_on(record)}, seed {record.seed}"
    return f"{name} ({origin})" if origin else name
