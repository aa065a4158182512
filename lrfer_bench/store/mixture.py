"""Whether records were computed by more than one arithmetic, said in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lrfer_bench.store.schema import Record


def mixture(records: Iterable[Record]) -> str:
    """One sentence when the finished records were computed by several arithmetics, else "".

    Records from before the arithmetic was told count as one more only beside several others.
    """
    finished = [record for record in records if record.status == "finished"]
    counts = Counter(record.arithmetic for record in finished)
    silent = counts.pop("", 0)
    if len(counts) < 2 and not any("trained_by" in record.environment for record in finished):
        return ""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{name}: {count}" for name, count in ordered]
    parts += [f"not told: {silent}"] if silent else []
    what = f"Records of {len(counts)} arithmetics are" if len(counts) > 1 else "Arithmetics are"
    return (
        f"{what} mixed here ({'; '.join(parts)}): the same key "
        "can have other bits under each, and times do not compare."
    )
