"""Reading results folders: what is counted, what is named, what is refused."""

import json
import math

import pytest

from lrfer_bench.contract.labels import label_of
from lrfer_bench.errors import UserError
from lrfer_bench.reporting.frame import load, load_frame


def save(factory, root, right=7, of=10, **fields):
    labels = [k % 7 for k in range(of)]
    return factory.save(root, [k < right for k in range(of)], labels, **fields)


def test_one_line_a_record_with_numbers_and_names(factory, tmp_path):
    save(factory, tmp_path, settings={"kd_weight": 0}, method="gmenet")
    factory.save(tmp_path, failure="the loss is NaN", scale=8)
    frame = load_frame([tmp_path]).set_index("method")
    assert list(frame.loc[["gmenet[kd_weight=0]", "direct"], "status"]) == ["finished", "failed"]
    assert frame.loc["gmenet[kd_weight=0]", "accuracy"] == pytest.approx(0.7)
    assert frame.loc["gmenet[kd_weight=0]", "size_px"] == 12
    assert math.isnan(frame.loc["direct", "accuracy"])
    assert frame.loc["direct", "failure"] == "the loss is NaN"


def test_labels_sort_their_settings():
    assert label_of("m", {}) == "m"
    assert label_of("m", {"b": 1.5, "a": "lean", "c": True}) == "m[a=lean,b=1.5,c=true]"


def test_damaged_records_are_named_and_not_counted(factory, tmp_path):
    save(factory, tmp_path)
    path = next((tmp_path / "records").iterdir())
    raw = json.loads(path.read_text())
    raw["metrics"]["all"]["accuracy"] = 0.99
    path.with_name("edited.json").write_text(json.dumps(raw))
    path.with_name("half.json").write_text(path.read_text()[:500])
    found = load([tmp_path])
    assert len(found.results) == 1
    assert {d.path.name: d.reason for d in found.damaged} == {
        "edited.json": "metrics.all.accuracy does not follow from its confusion matrix",
        "half.json": "it is not complete JSON (JSONDecodeError)",
    }


def test_the_same_key_in_two_folders_counts_once(factory, tmp_path):
    save(factory, tmp_path / "a")
    save(factory, tmp_path / "b")
    save(factory, tmp_path / "b", seed=1)
    assert len(load([tmp_path / "a", tmp_path / "b"]).results) == 2


def test_other_numbers_of_one_cell_in_two_folders_are_said(factory, tmp_path):
    same = {"key": "c" * 64}
    for folder, right in (("a", 7), ("b", 5), ("c", 7)):
        save(factory, tmp_path / folder, right=right, **same)
        save(factory, tmp_path / folder, seed=1)
    assert load([tmp_path / "a", tmp_path / "c"]).notes == []
    (note,) = load([tmp_path / "a", tmp_path / "b", tmp_path / "c"]).notes
    assert note == "1 cell stands in several folders with other numbers: those of a count"
    record = next((tmp_path / "a" / "logits").glob("*_s0_*"))
    record.unlink()
    (note,) = load([tmp_path / "a", tmp_path / "b"]).notes
    assert "those of b count" in note


def test_of_two_folders_the_one_with_the_logits_counts(factory, tmp_path):
    record = save(factory, tmp_path / "a")
    save(factory, tmp_path / "b")
    (tmp_path / "a" / "logits" / f"{record.stem}.npz").unlink()
    for folders in (["a", "b"], ["b", "a"]):
        (found,) = load([tmp_path / name for name in folders]).results
        assert found.store.root == tmp_path / "b"
    (tmp_path / "a" / "logits" / f"{record.stem}.npz").write_bytes(b"not its logits")
    (found,) = load([tmp_path / "a", tmp_path / "b"]).results
    assert found.store.root == tmp_path / "b"


def test_folders_of_one_name_are_told_apart(factory, tmp_path):
    for folder, right in (("a", 7), ("b", 5)):
        save(factory, tmp_path / folder / "results", right=right, key="c" * 64)
    (note,) = load([tmp_path / folder / "results" for folder in "ab"]).notes
    assert note.endswith("those of a/results count")


def test_no_folder_is_a_sentence():
    with pytest.raises(UserError, match="no results folder was named"):
        load([])


def test_a_finished_record_replaces_a_failed_one_of_the_same_key(factory, tmp_path):
    factory.save(tmp_path / "a", failure="out of memory")
    save(factory, tmp_path / "b")
    assert [c.finished for c in load([tmp_path / "a", tmp_path / "b"]).results] == [True]


def test_versions_are_kept_apart_by_name(factory, tmp_path):
    save(factory, tmp_path, version="1")
    save(factory, tmp_path, version="2")
    save(factory, tmp_path, method="other")
    assert sorted(c.method for c in load([tmp_path]).results) == ["direct@1", "direct@2", "other"]


def test_two_plugins_of_one_name_are_kept_apart(factory, tmp_path):
    save(factory, tmp_path, source="plugin-a 1.0")
    save(factory, tmp_path, source="plugin-b 1.0")
    assert sorted(c.method for c in load([tmp_path]).results) == [
        "direct from plugin-a 1.0",
        "direct from plugin-b 1.0",
    ]


def test_two_contents_of_one_data_set_are_kept_apart(factory, tmp_path):
    save(factory, tmp_path, fingerprint="a" * 64)
    save(factory, tmp_path, fingerprint="b" * 64)
    assert sorted(c.dataset for c in load([tmp_path]).results) == [
        "faces (aaaaaaaa)",
        "faces (bbbbbbbb)",
    ]


def test_cells_that_differ_in_their_stages_only_are_not_counted_and_named(factory, tmp_path):
    from lrfer_bench.store.schema import StagePart

    for key in ("a" * 64, "b" * 64):
        save(
            factory,
            tmp_path,
            stages={"teacher": StagePart(key=key, method="classifier", train_seconds=1.0)},
        )
    save(factory, tmp_path, method="other")
    found = load([tmp_path])
    assert [c.method for c in found.results] == ["other"]
    assert "2 records claim the same cell (direct (stages not told) on faces" in found.notes[0]


def test_folders_that_give_nothing_are_refused_in_one_sentence(factory, tmp_path):
    with pytest.raises(UserError, match=r"no results folder .*missing"):
        load([tmp_path / "missing"])
    with pytest.raises(UserError, match=r"holds no records: .*name another folder"):
        load([tmp_path])
    save(factory, tmp_path / "reference")
    with pytest.raises(UserError, match=r"did you mean --results .*reference\?"):
        load([tmp_path])
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "x.json").write_text("{")
    with pytest.raises(UserError, match=r"none of the 1 records .* can be trusted"):
        load([tmp_path])


@pytest.mark.parametrize(
    ("scales", "protocol", "trained"),
    [
        ([4], "bicubic@1", "each"),
        ([1, 2, 4], "bicubic@1", "1;2;4"),
        ([2], "bicubic@1", "2"),
        ([], "bicubic@1", "nothing"),
        ([1], "hr", "hr"),
    ],
)
def test_what_a_cell_was_trained_on(factory, tmp_path, scales, protocol, trained):
    save(factory, tmp_path, train_scales=scales, protocol=protocol, test_protocol="bicubic@1")
    assert load([tmp_path]).results[0].trained == trained


def test_numbers_of_failed_cells_are_nan_also_where_all_failed(factory, tmp_path):
    factory.save(tmp_path, failure="the loss is NaN")
    frame = load_frame([tmp_path])
    for name in ("accuracy", "accuracy_low", "clean_accuracy", "n", "macs", "onnx_latency_ms"):
        assert frame[name].dtype == float and frame[name].isna().all(), name
