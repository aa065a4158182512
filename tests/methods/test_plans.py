"""What methods need of each other: stages shared, teachers shared, keys that stay."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from builtin import LISTED
from folders import REFERENCE, REFERENCE_CPU1, REFERENCE_GPU
from made import data_ref, made_faces, tiny_preset
from made_engine import HereEngine
from small_models import plan_of

from lrfer_bench.contract.cards import DatasetCard
from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.contract.preset import Preset
from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.data.cache import prepare
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import data_ref as data_ref_of
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.degradation import protocol_of
from lrfer_bench.plugins.registry import METHODS, PROTOCOLS, Entry
from lrfer_bench.predicting.origin import plan_again
from lrfer_bench.running import cost
from lrfer_bench.running.models import has_model
from lrfer_bench.running.runner import Runner
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

A_MODEL_A_SCALE = (
    "direct",
    "superres",
    "srfer",
    "askd",
    "fskd",
    "gmenet",
    "kd",
    "fitnet",
    "mafer",
    "qualnet",
)
TRAINED_ONCE = Counter(
    {
        **{(name, (1,)): 1 for name in ("classifier", "askd", "gmenet", "qualnet")},
        **{(name, (1, 2, 4, 8)): 1 for name in ("multires", "rsnet")},
        ("fsrfer", (2, 4, 8)): 1,
        **{(name, (s,)): 1 for name in A_MODEL_A_SCALE for s in (2, 4, 8)},
    }
)
PINNED = Preset(
    name="cpu",
    version=1,
    summary="",
    epochs=14,
    batch=128,
    lr=0.1,
    weight_decay=5e-4,
    label_smoothing=0.1,
    dropout=0.2,
    ema=0.998,
    selection="last",
    shift=4,
    compute="small",
    classifier="lean",
)
PINS = {  # trainings, then the cell
    "oracle": ["81ea61855453e1b7", "bc9f4b716b73333b"],
    "enlarge": ["81ea61855453e1b7", "03efa92032410a74"],
    "direct": ["2a2f0b2f3bec07db", "a77d5abaaf5513cd"],
    "multires": ["13b7149f1a59e856", "11f3c883b90b3e07"],
    "cascade": ["22d5e2b16c778501", "81ea61855453e1b7", "9c52949009ed62b4"],
    "srfer": ["22d5e2b16c778501", "81ea61855453e1b7", "90735cd13268bf33", "0a826a12caeb5dda"],
    "fsrfer": ["81ea61855453e1b7", "dcb5e51203d1ed19", "4125f5abfc5395db"],
    "askd": ["6bc421cd596cd2dd", "ca5bcf3b158e285d", "3abf75f47b3bcf1a"],
    "fskd": ["81ea61855453e1b7", "b14183151b8e9750", "3782ff5240e829d4"],
    "gmenet": ["2917b0e850b23216", "6ff8c697a2a3f4dd", "68d15f4f5fc06daa"],
    "kd": ["81ea61855453e1b7", "88076e823a3c4f99", "314a34fea15cff76"],
    "fitnet": ["81ea61855453e1b7", "e1bd79b25deeb94d", "73101a4b69d959e4"],
    "rsnet": ["d8fbdd396b697237", "606b59a9e1fe161e"],
    "mafer": ["a03b9c27f90cc89d", "f3d0aaf6dad127ab", "d280f914bbfaceb7"],
    "qualnet": ["09f53c2d642a7798", "0cbb957f7551d8d3", "38fda2ae5da42486"],
}


def test_every_method_that_is_listed_has_its_keys_here() -> None:
    assert sorted(PINS) == sorted(LISTED)


@pytest.mark.parametrize("name", PINS)
def test_keys_of_the_reference_rows_stay(name: str) -> None:
    """Results are found by their key: a changed default or stage would orphan hours of runs."""
    plan = plan_of([name], (4,), PINNED)
    assert [key[:16] for key in (*plan.trainings, *plan.cells)] == PINS[name]


@pytest.mark.parametrize(
    ("folder", "cells", "told"),
    [(REFERENCE, 68, set()), (REFERENCE_CPU1, 28, {"fskd"}), (REFERENCE_GPU, 179, set())],
    ids=["tuned", "cpu@1", "GPU"],
)
def test_the_reference_records_are_those_of_this_code(
    folder: Path, cells: int, told: set[str]
) -> None:
    """told: methods whose older version made their records, which tables say."""
    store = Store(folder)
    records = [record for record in store.scan() if isinstance(record, Record)]
    assert len(records) >= cells
    older = {
        r.method.name for r in records if METHODS.load(r.method.name).version != r.method.version
    }
    assert older == told
    for record in records:
        if record.method.name in older:
            continue
        _, cell = plan_again(record, store, (1, 48, 48))
        assert cell.key == record.key
        assert record.metrics is not None
        found, stored = score(*dataclasses.astuple(store.read_logits(record))), record.metrics
        # Machines differ in the last digits, so this is as exact as `merge` is.
        expected = pytest.approx(leaves(dataclasses.asdict(stored)), rel=1e-6, abs=1e-6)
        assert leaves(dataclasses.asdict(found)) == expected


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """Nested dicts and lists as one flat dict, which pytest.approx can compare."""
    if isinstance(tree, dict):
        items = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    else:
        return {path: tree}
    return {
        leaf: value for key, part in items for leaf, value in leaves(part, f"{path}.{key}").items()
    }


def test_an_edited_protocol_of_a_plugin_file_is_another_result() -> None:
    def keys(source: str) -> set[str]:
        mine = type("Mine", (PROTOCOLS.load("bicubic"),), {"name": "mine"})
        entry = Entry("protocol", "mine", "made:Mine", source, loaded=mine)
        request = Request(
            methods=["direct"],
            scales=(4,),
            preset=tiny_preset(),
            protocols=["mine"],
        )
        with PROTOCOLS.scope(put=[entry]):
            plan = build_plan(request, data_ref())
        return {*plan.trainings, *plan.cells}

    first, edited = keys("mine.py sha256:111111111111"), keys("mine.py sha256:222222222222")
    assert len(first) == 2 and not first & edited
    assert keys("mine.py sha256:111111111111") == first
    assert keys("a package 1.0") == keys("a package 1.1"), (
        "a package's protocol says by its version what it makes"
    )


def test_a_protocol_has_to_know_its_name() -> None:
    nameless = type("Nameless", (Protocol,), {"degrade": lambda self, hr, size, scale, seeds: hr})
    other = type("Other", (PROTOCOLS.load("bicubic"),), {})
    for cls, said in ((nameless, "None"), (other, "'bicubic'")):
        entry = Entry("protocol", "mine", "made:Mine", "mine.py", loaded=cls)
        with (
            PROTOCOLS.scope(put=[entry]),
            pytest.raises(UserError, match=rf'"mine" of mine\.py .*{said} .*name = "mine"'),
        ):
            protocol_of("mine")


def test_all_methods_share_their_stages() -> None:
    plan = plan_of(LISTED, (2, 4, 8))
    assert Counter((t.method.name, t.scales) for t in plan.trainings.values()) == TRAINED_ONCE
    assert len(plan.cells) == 1 + 14 * 3
    assert 2 * len(plan.trainings) <= plan.alone()


def test_the_cascade_has_a_condition_a_scale_and_crosses() -> None:
    request = Request(
        methods=["cascade"],
        scales=(2, 4),
        preset=tiny_preset(),
        test_scales=(2, 6),
    )
    plan = build_plan(request, data_ref())
    conditions = [
        (cell.trained.scales, cell.tested.scale, cell.training) for cell in plan.cells.values()
    ]
    assert conditions == [((2,), 2, None), ((2,), 6, None), ((4,), 2, None), ((4,), 6, None)]
    labels = [cell.label for cell in plan.cells.values()]
    assert "trained on" not in labels[0]
    assert labels[3].endswith("(trained on bicubic@1 x4)")
    assert sorted(t.method.name for t in plan.trainings.values()) == [
        "classifier",
        "superres",
        "superres",
    ]


def test_one_teacher_for_every_weight_and_none_for_none() -> None:
    for name in ("gmenet", "askd"):
        teachers = set()
        for weight in (1.0, 5.0, 15.0):
            plan = plan_of([name], (4,), **{name: {"kd_weight": weight}})
            assert [t.scales for t in plan.trainings.values()] == [(1,), (4,)]
            teachers.add(next(iter(plan.trainings)))
        assert len(teachers) == 1
        alone = plan_of([name], (4,), **{name: {"kd_weight": "0"}})
        assert [t.scales for t in alone.trainings.values()] == [(4,)]
        at_hr = plan_of([name], (1,))
        assert len(at_hr.trainings) == 1


def test_a_teacher_has_the_student_s_architecture() -> None:
    plan = plan_of(["gmenet"], (4,), gmenet={"attention": "spatial", "global_branch": "false"})
    teacher, student = plan.trainings.values()
    own = {"kd_weight": 0.0, "attention": "spatial", "global_branch": False}
    assert teacher.method.settings.items() >= own.items()
    assert student.method.settings == {**teacher.method.settings, "kd_weight": 1.0}
    nothing_to_distil = plan_of(["gmenet"], (4,), gmenet={"attention": "none"})
    assert len(nothing_to_distil.trainings) == 1


def test_fsrfer_s_feature_follows_the_preset_and_names_the_result() -> None:
    def plan(compute: str, **settings: str) -> Any:
        return plan_of(["fsrfer"], (4,), tiny_preset(compute=compute), fsrfer=settings)

    assert [t.method.name for t in plan("small").trainings.values()] == ["classifier", "fsrfer"]
    assert [t.method.name for t in plan("large").trainings.values()] == ["covpool", "fsrfer"]
    assert list(plan("small").cells) == list(plan("small", feature="map").cells)
    assert list(plan("small").cells) != list(plan("small", feature="covpool").cells)
    with pytest.raises(UserError, match=r"fsrfer\.feature"):
        plan("small", feature="pixels")


class _Made(Dataset):
    card = DatasetCard(summary="made")
    needs_root = False

    def __init__(self, faces: FaceSet) -> None:
        self.faces = faces

    def sources(self, root: Path | None) -> Sequence[Path]:
        return []

    def load(self, root: Path | None) -> FaceSet:
        return self.faces


def test_a_run_of_all_methods_trains_each_stage_once(tmp_path: Path, monkeypatch: Any) -> None:
    for what in ("latency_ms", "throughput"):
        monkeypatch.setattr(cost, what, lambda method, lr: 1.0)
    made = {
        name: made_faces(14, side=16, seed=seed)
        for seed, name in enumerate(("train", "val", "test"))
    }
    splits = {name: Split(s.images, s.labels, None, s.labels * 0) for name, s in made.items()}
    prepared = prepare(
        _Made(FaceSet("made", tuple("abcdefg"), splits)), "made", None, cache=tmp_path / "cache"
    )
    ref = dataclasses.replace(data_ref_of("made", prepared))
    plan = build_plan(Request(methods=LISTED, preset=tiny_preset(epochs=1)), ref)
    store, engine = Store(tmp_path / "results"), HereEngine()
    status = Runner(plan, store).run(engine)
    assert (status.finished, status.failed) == (len(plan.cells), 0)
    assert sorted(engine.trained) == sorted(plan.trainings)
    assert all(has_model(store, key) for key in plan.trainings)
    assert len(list(store.models.glob("*.safetensors"))) == sum(TRAINED_ONCE.values())
    again = HereEngine()
    assert Runner(plan, store).run(again).kept == len(plan.cells)
    assert again.trained == []
