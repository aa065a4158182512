from __future__ import annotations

import errno
import importlib
import json
import os
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from toy import Toy, toy_faces

from lrfer_bench.contract.faceset import FaceSet, Split
from lrfer_bench.data import cache as cache_module
from lrfer_bench.data import reading
from lrfer_bench.data.audit import audit
from lrfer_bench.data.cache import open_prepared, prepare
from lrfer_bench.data.signature import options_of, signature_of
from lrfer_bench.data.verify import verify
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.files import default_cache


def test_a_prepared_set_is_the_loaded_one(root, tmp_path):
    dataset = Toy(soft=True)
    prepared = prepare(dataset, "toy", root, cache=tmp_path / "cache")
    loaded = Toy(soft=True).load(root)
    assert prepared.fingerprint == loaded.fingerprint() == prepared.faces.fingerprint()
    assert (
        prepared.directory == tmp_path / "cache" / "datasets" / f"toy-{prepared.fingerprint[:16]}"
    )
    assert prepared.options == {"soft": True, "side": 8}
    assert prepared.faces.classes == ("off", "on") and prepared.faces.notes == ("a toy",)
    for name in ("train", "val", "test"):
        mine, expected = prepared.faces.splits[name], loaded.splits[name]
        assert isinstance(mine.images, np.memmap) and not mine.images.flags.writeable
        for part in ("images", "labels", "soft", "rows"):
            np.testing.assert_array_equal(getattr(mine, part), getattr(expected, part))
        assert mine.labels.dtype == np.int64 and mine.soft.dtype == np.float32


def test_leaked_masks_and_audit_are_stored(root, tmp_path, monkeypatch):
    faces = toy_faces(3)
    faces.splits["test"].images[1] = faces.splits["train"].images[5]
    monkeypatch.setattr(Toy, "load", lambda self, root: faces)
    prepared = open_prepared(prepare(Toy(), "toy", root, cache=tmp_path).directory)
    assert prepared.faces.leaked["test"].tolist() == [False, True, False, False]
    assert prepared.faces.leaked["val"].tolist() == [False] * 6
    assert prepared.audit["leaked"] == {"val": 0, "test": 1}


def test_a_second_prepare_does_not_load(root, tmp_path):
    first, second = Toy(), Toy()
    one = prepare(first, "toy", root, cache=tmp_path)
    two = prepare(second, "toy", root, cache=tmp_path)
    assert (first.loaded, second.loaded) == (1, 0)
    assert one.directory == two.directory and one.fingerprint == two.fingerprint


def test_what_a_changed_loader_says_beyond_the_pixels_is_taken(root, tmp_path, monkeypatch):
    """That its faces are rendered, and which rows of a file they are: no fingerprint has that."""
    bare = toy_faces(1)
    plain = {name: replace(split, rows=None) for name, split in bare.splits.items()}
    monkeypatch.setattr(Toy, "load", lambda self, root: replace(bare, splits=plain))
    before = prepare(Toy(), "toy", root, cache=tmp_path)
    assert not before.faces.synthetic and before.faces.test.rows is None
    rows = {name: replace(s, rows=np.arange(len(s))) for name, s in bare.splits.items()}
    monkeypatch.setattr(Toy, "load", lambda self, root: replace(bare, splits=rows, synthetic=True))
    for now in (prepare(Toy(), "toy", root, cache=tmp_path, anew=True),
                prepare(Toy(), "toy", root, cache=tmp_path)):  # fmt: skip
        assert now.directory == before.directory and now.faces.notes == bare.notes
        assert now.faces.synthetic and now.faces.test.rows.tolist() == [*range(len(now.faces.test))]


def test_one_array_may_be_two_splits_however_large_it_is(root, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "IN_MEMORY", 0)

    def load(self, root):
        stack = reading.Stack(6, (1, 8, 8))
        stack.add(np.arange(6 * 64, dtype=np.uint8).reshape(6, 1, 8, 8))
        split = Split(stack.close(), np.arange(6) % 2)
        return FaceSet("toy", ("off", "on"), {"train": split, "val": split, "test": split})

    monkeypatch.setattr(Toy, "load", load)
    faces = prepare(Toy(), "toy", root, cache=tmp_path / "cache").faces
    for split in (faces.train, faces.val, faces.test):
        assert split.images.ravel()[:3].tolist() == [0, 1, 2] and len(split) == 6


def test_changed_files_and_options_are_read_again(root, tmp_path):
    one = prepare(Toy(), "toy", root, cache=tmp_path)
    (root / "seed.txt").write_text("2")
    two = prepare(Toy(), "toy", root, cache=tmp_path)
    three = prepare(Toy(side=4), "toy", root, cache=tmp_path)
    assert len({one.fingerprint, two.fingerprint, three.fingerprint}) == 3
    assert three.faces.size == (4, 4)
    status = (root / "seed.txt").stat()
    os.utime(root / "seed.txt", ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    again = Toy()
    assert (
        prepare(again, "toy", root, cache=tmp_path).fingerprint == two.fingerprint
        and again.loaded == 1
    )


def test_one_more_picture_in_a_folder_is_seen(root, tmp_path, monkeypatch):
    pictures = root / "train" / "happy"
    pictures.mkdir(parents=True)
    (pictures / "a.png").write_text("a")
    monkeypatch.setattr(Toy, "sources", lambda self, root: [root / "seed.txt", root / "train"])
    prepare(Toy(), "toy", root, cache=tmp_path)
    second = Toy()
    prepare(second, "toy", root, cache=tmp_path)
    (pictures / "b.png").write_text("b")
    third = Toy()
    prepare(third, "toy", root, cache=tmp_path)
    assert (second.loaded, third.loaded) == (0, 1)


def test_two_forms_of_the_same_faces_share_a_folder_but_not_their_notes(
    root, tmp_path, monkeypatch
):
    one = prepare(Toy(), "toy", root, cache=tmp_path / "cache")
    other = tmp_path / "other"
    other.mkdir()
    (other / "seed.txt").write_text("1 ")
    real = Toy.load
    monkeypatch.setattr(
        Toy,
        "load",
        lambda self, root: type(faces := real(self, root))(
            **{**vars(faces), "notes": ("another",)}
        ),
    )
    two = prepare(Toy(), "toy", other, cache=tmp_path / "cache")
    assert one.directory == two.directory
    assert (one.faces.notes, two.faces.notes) == (("a toy",), ("another",))
    assert prepare(Toy(), "toy", root, cache=tmp_path / "cache").faces.notes == ("a toy",)


def cut(directory):
    path = directory / "train.images.npy"
    path.write_bytes(path.read_bytes()[:-10])


def unmark(directory):
    (directory / "meta.json").unlink()


def half_mark(directory):
    path = directory / "meta.json"
    path.write_text(path.read_text()[:100])


def other_version(directory):
    path = directory / "meta.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "cache_version": 0}))


def lose(directory):
    (directory / "test.labels.npy").unlink()


@pytest.mark.parametrize("damage", [cut, unmark, half_mark, other_version, lose])
def test_a_damaged_folder_is_noticed_and_made_again(root, tmp_path, damage):
    prepared = prepare(Toy(), "toy", root, cache=tmp_path)
    expected = prepared.faces.fingerprint()
    damage(prepared.directory)
    with pytest.raises(DataError, match="damaged"):
        open_prepared(prepared.directory)
    dataset = Toy()
    again = prepare(dataset, "toy", root, cache=tmp_path)
    assert dataset.loaded == 1 and again.faces.fingerprint() == expected
    assert prepared.faces.fingerprint() == expected or damage is cut, (
        "who has the old one mapped can go on"
    )
    assert sorted(path.name for path in (tmp_path / "datasets").iterdir()) == [
        prepared.directory.name
    ]


def test_a_damaged_signature_only_costs_time(root, tmp_path):
    prepared = prepare(Toy(), "toy", root, cache=tmp_path)
    (signature,) = (tmp_path / "signatures").iterdir()
    for text in (
        "",
        "[]",
        '{"directory": 3}',
        '{"directory": "elsewhere", "notes": [], "options": {}}',
    ):
        signature.write_text(text)
        assert prepare(Toy(), "toy", root, cache=tmp_path).fingerprint == prepared.fingerprint


def test_concurrent_prepares_do_not_hurt_each_other(root, tmp_path, monkeypatch):
    barrier = threading.Barrier(4)
    move = cache_module.move_into_place

    def all_at_once(temporary, directory):
        barrier.wait(timeout=20)
        move(temporary, directory)

    monkeypatch.setattr(cache_module, "move_into_place", all_at_once)
    found, failed = [], []

    def work():
        try:
            found.append(prepare(Toy(), "toy", root, cache=tmp_path))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(found) == 4
    assert {prepared.faces.fingerprint() for prepared in found} == {found[0].fingerprint}
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [found[0].directory.name]
    assert len(list((tmp_path / "signatures").iterdir())) == 1


def test_a_full_disk_is_one_sentence_and_leaves_nothing(root, tmp_path, monkeypatch):
    saved = []

    def save(file, array, **_):
        saved.append(array)
        if len(saved) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        file.write(b"x")

    monkeypatch.setattr(cache_module.np, "save", save)
    with pytest.raises(UserError, match=r"No space left on device.*LRFER_CACHE"):
        prepare(Toy(), "toy", root, cache=tmp_path)
    assert list((tmp_path / "datasets").iterdir()) == []
    monkeypatch.undo()
    assert prepare(Toy(), "toy", root, cache=tmp_path).faces.size == (8, 8)


def test_a_file_that_the_system_does_not_give_is_one_sentence(root, tmp_path, monkeypatch):
    def load(self, root):
        raise PermissionError(errno.EACCES, "Permission denied", "faces.bin")

    monkeypatch.setattr(Toy, "load", load)
    with pytest.raises(DataError, match=r"faces\.bin.*Permission denied"):
        prepare(Toy(), "toy", root, cache=tmp_path)


def test_a_cache_that_cannot_be_a_folder_is_named(root, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"the cache .*file"):
        prepare(Toy(), "toy", root, cache=tmp_path / "file")


def test_what_killed_processes_left_is_swept_after_a_day(root, tmp_path):
    old, new = (tmp_path / "datasets" / f".tmp-01234567-{k}-elsewhere" for k in (1, 2))
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / "train.images.npy").write_text("half")
    os.utime(old, (time.time() - 2 * 86400,) * 2)
    prepare(Toy(), "toy", root, cache=tmp_path)
    assert not old.exists() and new.exists()


def test_a_set_that_breaks_the_rules_is_not_prepared(root, tmp_path, monkeypatch):
    faces = toy_faces(1)
    faces.splits["test"].labels[0] = 2
    monkeypatch.setattr(Toy, "load", lambda self, root: faces)
    with pytest.raises(DataError, match="label"):
        prepare(Toy(), "toy", root, cache=tmp_path)
    assert not (tmp_path / "datasets").exists()


def test_options_are_the_arguments_of_init():
    assert options_of(Toy(side=3)) == {"soft": False, "side": 3}

    class Forgetful(Toy):
        def __init__(self, colour: str = "grey") -> None:
            super().__init__()

    with pytest.raises(UserError, match=r"Forgetful .*self\.colour.*test_cache\.py:\d+"):
        options_of(Forgetful())


def test_the_default_cache_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("LRFER_CACHE")
    assert default_cache().parts[-2:] == (".cache", "lrfer-bench")


def test_a_loader_that_returns_nothing_is_one_sentence(root, tmp_path, monkeypatch):
    monkeypatch.setattr(Toy, "load", lambda self, root: None)
    with pytest.raises(DataError, match=r'"toy" returned a NoneType.*return FaceSet'):
        prepare(Toy(), "toy", root, cache=tmp_path)


def test_votes_and_labels_of_other_kinds_are_kept_in_the_promised_ones(root, tmp_path, monkeypatch):
    real = Toy(soft=True).load(root)
    splits = {
        name: replace(split, labels=split.labels.astype(np.uint8), soft=split.soft.astype(float))
        for name, split in real.splits.items()
    }
    monkeypatch.setattr(Toy, "load", lambda self, root: replace(real, splits=splits))
    kept = prepare(Toy(), "toy", root, cache=tmp_path).faces.train
    assert (kept.labels.dtype, kept.soft.dtype) == (np.int64, np.float32)


def test_leaked_rows_are_those_that_are_found_today(root, tmp_path, monkeypatch):
    """Another version found none: its folder is made anew, and verify() sees what is in it."""

    def blind(faces, near):
        found = audit(faces, near=near)
        return replace(found, leaked={name: ~mask for name, mask in found.leaked.items()})

    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "audit", blind)
        old = prepare(Toy(), "toy", root, cache=tmp_path)
    assert old.faces.leaked["test"].all()
    wrong = [check.what for check in verify(old, Toy.card).checks if not check.ok]
    assert wrong == ["val leaked rows in the cache", "test leaked rows in the cache"]
    new = prepare(Toy(), "toy", root, cache=tmp_path, anew=True)
    assert not new.faces.leaked["test"].any() and verify(new, Toy.card).ok


def test_a_loader_rests_on_the_modules_that_it_imports(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "facehelp_of_test.py").write_text("GREY = 10\n")
    text = "from toy import Toy\nimport facehelp_of_test\n\n\nclass Mine(Toy):\n    pass\n"
    (tmp_path / "faces_of_test.py").write_text(text)
    mine = importlib.import_module("faces_of_test").Mine()
    (tmp_path / "seed.txt").write_text("1")
    before, _ = signature_of(mine, "mine", tmp_path)
    assert signature_of(mine, "mine", tmp_path)[0] == before
    (tmp_path / "facehelp_of_test.py").write_text("GREY = 99\n")
    assert signature_of(mine, "mine", tmp_path)[0] != before
