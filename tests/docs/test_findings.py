"""What the findings say beside their tables of comparisons: computed from the records."""

from __future__ import annotations

from statistics import mean

import numpy as np
import pytest
from folders import REFERENCE
from published import ELSEWHERE, FERPLUS, PAGE, own, rows_of_seed_0

import lrfer_bench
from lrfer_bench.reporting.frame import load
from lrfer_bench.reporting.numbers import p_text
from lrfer_bench.scoring.paired import holm, mcnemar
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

PLAIN = " ".join(PAGE.read_text(encoding="utf-8").split())
LONG, JOINT = "direct[epochs=3x]", "srfer[attention=0.0841,pixel=8.14,prediction=0.302]"


def records() -> list[tuple[str, Record]]:
    return [
        (result.method, result.record)
        for result in load([REFERENCE]).results
        if result.dataset == "fer2013" and result.record.metrics
    ]


def macro_f1(part: str) -> dict[tuple[str, int], float]:
    """(Method, scale) -> in %, the mean of three seeds; part: "all" or "clean"."""
    found: dict[tuple[str, int], list[float]] = {}
    for name, record in records():
        train, test = record.train, record.test
        if train.protocol == test.protocol == "bicubic@1" and test.scale in train.scales:
            metrics = getattr(record.metrics, part)
            found.setdefault((name, test.scale), []).append(100 * metrics.macro_f1)
    return {place: mean(values) for place, values in found.items() if len(values) == 3}


def test_macro_f1_of_finding_1() -> None:
    said = {}
    for part in ("all", "clean"):
        found = macro_f1(part)
        for other in (JOINT, "direct"):
            ahead = [f"{found[LONG, k] - found[other, k]:.1f}" for k in (2, 4, 8)]
            said[part, other] = "{}, {} and {}".format(*ahead)
    assert (
        f"24, 12 and 6 pixels, by {said['all', JOINT]} points (without leaked faces "
        f"{said['clean', JOINT]}), and than `direct` by {said['all', 'direct']} "
        f"({said['clean', 'direct']})" in PLAIN
    )


def right(record: Record) -> np.ndarray:
    """Which faces were recognised, bool [N]."""
    logits = Store(REFERENCE).read_logits(record)
    return np.asarray(logits.logits.argmax(1) == logits.labels)


def test_training_on_camera_is_ahead_of_every_row_under_camera() -> None:
    """Finding 3: of the best of each column among the 18 rows that were trained on `bicubic`."""
    under = [record for _, record in records() if record.test.protocol == "camera@1"]
    ahead, p = [], []
    for scale in (2, 4, 8):
        here = [record for record in under if record.test.scale == scale]
        others = [record for record in here if record.train.protocol != "camera@1"]
        (own,) = [
            record for record in here
            if record.train.protocol == "camera@1" and record.method.name == "direct"
        ]  # fmt: skip
        assert len(others) == 18
        best = max(others, key=lambda record: right(record).mean())
        one, other = right(own), right(best)
        ahead.append(f"{100 * (one.mean() - other.mean()):.1f}")
        p.append(float(mcnemar((one & ~other).sum(), (other & ~one).sum())))
    assert "at every size, by {}, {} and {} points".format(*ahead) in PLAIN
    assert f"McNemar's p {max(p):.4f} or less" in PLAIN and p_text(max(p)) == "0.001"


def test_what_becomes_of_the_order_under_area() -> None:
    rows = [row for row in rows_of_seed_0() if row["dataset"] == "fer2013"]
    order = {}
    for tested in ("bicubic@1", "area@1"):
        areas = {
            row["method"]: float(row["area"])
            for row in own(rows, tested).values()
            if row["kind"] != "oracle"
        }
        order[tested] = sorted(areas, key=lambda name: -areas[name])
    places = [names.index(JOINT) + 1 for names in order.values()]
    assert places == [2, 6] and "`srfer` falls from the second place to the sixth" in PLAIN
    assert "`srfer`, second on `bicubic`, is sixth" in " ".join(ELSEWHERE.read_text().split())
    before, after = own(rows, "bicubic@1"), own(rows, "area@1")
    lost = {
        (name, size): 100 * (float(row["accuracy"]) - float(after[name, size]["accuracy"]))
        for (name, size), row in before.items()
        if size in (12, 6)
    }
    most = [gap for gap in lost.values() if 0.75 <= gap <= 3.25]
    assert len(lost) == 36 and len(most) > 27
    assert "most lose 1 to 3 points at 12 and 6 pixels" in PLAIN


def headline(section: str) -> str:
    """The first sentence of a section of the report, its Markdown taken off."""
    report = (REFERENCE / "report" / "leaderboard.md").read_text(encoding="utf-8")
    _, sentence, *_ = report.split(f"## fer2013 · {section}")[1].split("\n\n", 2)
    return sentence.splitlines()[0].replace("\\", "")


@pytest.mark.parametrize(
    ("section", "name", "words"),
    [
        ("camera@1 · preset cpu@2", "kd[kd_weight=0.6]", "`kd` cannot be told from `srfer`"),
        (
            "trained on bicubic@1, tested on area@1 · preset cpu@2", JOINT,
            "can be told from `direct[epochs=3x]`, if not without leaked faces",
        ),
    ],
)  # fmt: skip
def test_what_is_told_of_rows_only_with_leaked_faces(section: str, name: str, words: str) -> None:
    assert words in " ".join(ELSEWHERE.read_text(encoding="utf-8").split())
    assert name not in headline(section + "\n")
    assert f"{name}" in headline(section + " · without leaked rows")
    assert "cannot be told apart from it" in headline(section + " · without leaked rows")


def test_who_is_ahead_on_ferplus_after_a_correction_over_methods_and_sizes() -> None:
    """Of the four that learn from the HR classifier, at 24 pixels; nothing at 12 and 6."""
    names = ("qualnet", "fskd", "kd", "fitnet")
    told = {}
    for clean in (False, True):
        found = [
            lrfer_bench.compare(
                name, "direct", REFERENCE, datasets="ferplus", test_protocols="bicubic",
                scales=[2, 4, 8], clean=clean, tell=None,
            ).p
            for name in names
        ]  # fmt: skip
        p = holm([one for three in found for one in three]).reshape(len(names), 3)
        assert (p[:, 1:] > 0.05).all()
        told[clean] = {name: p_text(at[0]) for name, at in zip(names, p, strict=True)}
    with_leaked, without = told[False], told[True]
    assert (
        f"`qualnet` is with the leaked faces (p {with_leaked['qualnet']}), and `fskd`, `qualnet` "
        f"and `kd` are without them (p {without['fskd']}, {without['qualnet']} and "
        f"{without['kd']}), one training each" in " ".join(FERPLUS.read_text().split())
    )
    assert all(float(with_leaked[name]) > 0.05 for name in ("fskd", "kd", "fitnet"))
    assert float(without["fitnet"]) > 0.05
