"""Whether records were computed by more than one arithmetic, said in one sentence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from lrfer_bench.contract.labels import label_of
from lrfer_bench.errors import joined
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
    if by_seed := _by_seed(finished):
        return by_seed
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{name}: {count}" for name, count in ordered]
    parts += [f"not told: {silent}"] if silent else []
    what = f"Records of {len(counts)} arithmetics are" if len(counts) > 1 else "Arithmetics are"
    return (
        f"{what} mixed here ({'; '.join(parts)}): the same key "
        "can have other bits under each, and times do not compare."
    )


def _alike(finished: list[Record]) -> bool:
    """Whether rows that stand in one column were computed by the same arithmetics each.

    Where one has a machine more than another, the machine is in the difference between the two.
    """
    columns: dict[object, dict[object, set[str]]] = defaultdict(lambda: defaultdict(set))
    for record in finished:
        column = (
            record.dataset.name, record.dataset.fingerprint, record.preset, record.test.protocol,
            record.test.scale,
        )  # fmt: skip
        row = (
            label_of(record.method.name, record.method.settings), record.train.protocol,
            tuple(record.train.scales),
        )  # fmt: skip
        columns[column][row].add(record.arithmetic)
    return all(len({frozenset(own) for own in rows.values()}) == 1 for rows in columns.values())


def _by_seed(finished: list[Record]) -> str:
    """A milder sentence where all rows of a seed have one arithmetic, so that they compare."""
    found: dict[int, set[str]] = defaultdict(set)
    for record in finished:
        found[record.seed].add(record.arithmetic)
    if any(len(names) > 1 or "" in names for names in found.values()) or not _alike(finished):
        return ""
    seeds: dict[str, list[str]] = defaultdict(list)
    for seed, (name,) in sorted(found.items()):
        seeds[name].append(str(seed))
    if len(seeds) < 2:
        return ""
    parts = [f"seed{'s' * (len(own) > 1)} {joined(own)}: {name}" for name, own in seeds.items()]
    return (
        f"Seeds were computed by {len(seeds)} arithmetics ({'; '.join(parts)}): all rows of a seed "
        "by the same one, so they compare, but between seeds the machine changes, too, and times "
        "do not compare."
    )
