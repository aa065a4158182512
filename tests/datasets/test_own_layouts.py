"""What own trees may say by options, and the traps of copies: named, never silent."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from layouts import (
    CK,
    by_class,
    ck,
    fer_parquet,
    fer_tree,
    generated,
    labels_of,
    raf_kaggle,
)
from made_files import few_faces, noise, write_csv, write_tree

from lrfer_bench.contract.cards import DatasetCard, read_card
from lrfer_bench.data.options import make_dataset
from lrfer_bench.data.signature import option_names
from lrfer_bench.datasets.fer2013 import FER2013
from lrfer_bench.datasets.fer2013_parquet import usage_of
from lrfer_bench.datasets.ferplus import FERPlus
from lrfer_bench.datasets.folder import Folder
from lrfer_bench.datasets.rafdb import EXPRESSIONS, RAFDB
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.plugins.registry import DATASETS


def test_a_tree_without_splits_and_people_warns(tmp_path: Path) -> None:
    faces = Folder().load(ck(tmp_path)).check()
    assert any("WARNING" in note and "person=REGEX" in note for note in faces.notes)
    assert len(faces.test) == 21 and set(faces.val.labels.tolist()) == set(range(7))
    assert faces.name == "folder" and Folder(name="mine").load(tmp_path).name == "mine"


def test_people_on_both_sides_of_given_splits_are_counted(tmp_path: Path) -> None:
    for split, start in (("train", 0), ("val", 10), ("test", 20)):
        by_class(tmp_path, split + "/{name}/S010_{n}.png", CK, 1, start=start)
    notes = Folder(person="(S[0-9]+)_").load(tmp_path).notes
    assert any("1 people stand in train and in test, S010" in note for note in notes)


def test_numbers_get_the_names_that_are_declared(tmp_path: Path) -> None:
    fer_tree(tmp_path, {"train": 3, "val": 1, "test": 1}, ("0", "1", "2"))
    plain = Folder().load(tmp_path)
    assert plain.classes == ("0", "1", "2") and any("classes=" in note for note in plain.notes)
    named = Folder(classes="glad, sad, cross").load(tmp_path)
    assert named.classes == ("glad", "sad", "cross")
    np.testing.assert_array_equal(named.train.labels, plain.train.labels)
    with pytest.raises(DataError, match='"2"'):
        Folder(classes="glad,sad").load(tmp_path)


def test_names_are_given_to_numbers_in_the_order_of_numbers(tmp_path: Path) -> None:
    """As texts, 10 comes before 2."""
    numbers = [str(n) for n in range(11)]
    for split, count, start in (("train", 2, 0), ("test", 1, 50)):
        files = [f"{split}/{name}/{n}.png" for name in numbers for n in range(count)]
        write_tree(tmp_path, {file: noise(start + n, 8, 8) for n, file in enumerate(files)})
    plain = Folder().load(tmp_path)
    assert plain.classes == tuple(numbers)
    assert any("give the names of 0 to 10, in that order" in note for note in plain.notes)
    named = Folder(classes=",".join(f"c{n}" for n in numbers)).load(tmp_path)
    assert named.classes == tuple(f"c{n}" for n in numbers)
    np.testing.assert_array_equal(named.test.labels, plain.test.labels)
    np.testing.assert_array_equal(named.test.images, plain.test.images)


def test_names_are_not_asked_for_where_they_could_not_be_given(tmp_path: Path) -> None:
    by_class(tmp_path, "train/{name}/{n}.png", ("-1", "0", "1"), 2)
    by_class(tmp_path, "test/{name}/{n}.png", ("-1", "0", "1"), 1, start=50)
    faces = Folder().load(tmp_path)
    assert set(faces.classes) == {"-1", "0", "1"}
    assert not any("classes=" in note for note in faces.notes)


def test_synonyms_of_train_are_its_classes(tmp_path: Path) -> None:
    by_class(tmp_path, "train/{name}/{n}.png", ("anger", "happiness", "odd"), 3)
    by_class(tmp_path, "test/{name}/{n}.png", ("Angry", "happy", "ODD"), 1, start=50)
    faces = Folder().load(tmp_path)
    assert faces.classes == ("anger", "happiness", "odd")
    np.testing.assert_array_equal(labels_of(faces.test.images), faces.test.labels)
    by_class(tmp_path, "test/{name}/{n}.png", ("anger",), 1, start=80)
    with pytest.raises(DataError, match=r"both Angry and anger|both anger and Angry"):
        Folder().load(tmp_path)


def test_efficientface_and_its_order(tmp_path: Path) -> None:
    for split, count in (("train", 9), ("test", 2)):
        by_class(tmp_path, split + "/{name}/" + split + "_{name}000{n}_aligned.jpg",
                 tuple("0123456"), count, side=20, colour=True, start=count)  # fmt: skip
    with pytest.raises(DataError, match=r"order=NAME .*efficientface: neutral"):
        RAFDB().load(tmp_path)
    faces = RAFDB(order="efficientface").load(tmp_path)
    seen = labels_of(faces.test.images)
    names = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
    assert [names[k] for k in seen] == [EXPRESSIONS[k] for k in faces.test.labels]
    official = RAFDB(order="official").load(tmp_path)
    np.testing.assert_array_equal(labels_of(official.test.images), official.test.labels)
    with pytest.raises(UserError, match='order is "other"'):
        RAFDB(order="other")


def test_kaggle_and_the_official_layout_of_rafdb_have_one_fingerprint(tmp_path: Path) -> None:
    kaggle = raf_kaggle(tmp_path / "kaggle")
    lines = []
    for path in sorted((kaggle / "DATASET").rglob("*.jpg"), key=lambda path: path.name):
        name = path.name.replace("_aligned", "")
        lines.append((name.startswith("test"), f"{name} {path.parent.name}"))
        aligned = tmp_path / "basic" / "Image" / "aligned" / path.name
        aligned.parent.mkdir(parents=True, exist_ok=True)
        aligned.write_bytes(path.read_bytes())
    (tmp_path / "basic" / "EmoLabel").mkdir()
    text = "\n".join(line for _, line in sorted(lines)) + "\n"
    (tmp_path / "basic" / "EmoLabel" / "list_patition_label.txt").write_text(text)
    official = RAFDB().load(tmp_path).fingerprint()
    assert RAFDB().load(kaggle).fingerprint() == official


def test_pictures_that_a_copy_of_rafdb_calls_val_are_put_back_into_train(tmp_path: Path) -> None:
    kaggle = raf_kaggle(tmp_path)
    official = RAFDB().load(kaggle).fingerprint()
    taken = sorted((kaggle / "DATASET" / "train").rglob("*.jpg"))[::9]
    for path in taken:
        moved = kaggle / "DATASET" / "val" / path.parent.name / path.name
        moved.parent.mkdir(parents=True, exist_ok=True)
        path.rename(moved)
    faces = RAFDB().load(kaggle)
    assert faces.fingerprint() == official
    assert any(f"{len(taken)} pictures of val" in note for note in faces.notes)
    shutil.copy(moved, kaggle / "DATASET" / "train" / moved.parent.name / moved.name)
    with pytest.raises(DataError, match="leave the one whose folder is right"):
        RAFDB().load(kaggle)


@pytest.mark.parametrize("name", [
    "train_10000_aligned.jpg", "train_10000.jpg", "train_10000_aligned.png"
])  # fmt: skip
def test_one_picture_of_rafdb_in_two_folders_would_have_two_labels(
    name: str, tmp_path: Path
) -> None:
    train = raf_kaggle(tmp_path) / "DATASET" / "train"
    first = train / "1" / "train_10000_aligned.jpg"
    shutil.copy(first, train / "5" / name)
    with pytest.raises(DataError, match="are both RAF-DB's train_10000") as caught:
        RAFDB().load(tmp_path)
    assert str(first) in str(caught.value) and str(train / "5" / name) in str(caught.value)


def test_votes_of_both_files_are_joined_by_name(tmp_path: Path) -> None:
    generated(tmp_path)
    by_label = FERPlus(votes="label").load(tmp_path)
    assert by_label.train.labels.tolist() == list(range(8))
    votes = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    lines = [f"Usage,Image name,{votes}"]
    for usage, word in enumerate(("Training", "PublicTest", "PrivateTest")):
        lines.append(f"{word},,0,0,0,0,0,0,0,0,0,10")
        for k in range(8):  # the other way round: class 7 - k
            counts = ",".join("8" if vote == 7 - k else "0" for vote in range(10))
            lines.append(f"{word},fer{100 * usage + k:07d}.png,{counts}")
    # A name that occurs twice: the picture is the later row's, and so are the votes.
    lines.insert(2, "Training,fer0000003.png,10,0,0,0,0,0,0,0,0,0")
    (tmp_path / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    by_new = FERPlus().load(tmp_path)
    assert by_new.train.labels.tolist() == list(range(7, -1, -1))
    assert "The votes were read from fer2013new.csv, joined by name." in by_new.notes
    assert FERPlus(votes="label").load(tmp_path).fingerprint() == by_label.fingerprint()
    assert FERPlus(votes="new").load(tmp_path).fingerprint() == by_new.fingerprint()
    write_csv(tmp_path / "fer2013.csv", few_faces())
    with pytest.raises(DataError, match="by row"):  # rows in their order go first, as ever
        FERPlus().load(tmp_path)
    (tmp_path / "FER2013Valid" / "label.csv").write_text("fer0000100.png,8\n")
    with pytest.raises(DataError, match=r"FER2013Valid/label\.csv, line 1"):
        FERPlus(votes="label").load(tmp_path)


def test_the_counts_of_both_vote_files_stand_on_the_card() -> None:
    card = FERPlus.card
    assert card.counts == {"train": 25060, "val": 3199, "test": 3153}
    assert [25045, 3191, 3137] in card.other_counts.values()


def test_files_of_the_challenge_without_test_labels_are_named(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("emotion,pixels\n")
    with pytest.raises(DataError, match="no labels of the test"):
        FER2013().sources(tmp_path)


def test_a_split_folder_that_is_there_twice_is_named(tmp_path: Path) -> None:
    fer_tree(tmp_path, {"train": 2, "Train": 2, "test": 1})
    for dataset in (FER2013(), Folder()):
        with pytest.raises(DataError, match="both Train and train"):
            dataset.load(tmp_path)


def test_wrong_options_are_named(tmp_path: Path) -> None:
    for options, word in (
        ({"person": "("}, "regular expression"), ({"name": "My Set"}, "small letters"),
        ({"name": "rafdb"}, "another data set"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=word):
            make_dataset("folder", options)
    ck(tmp_path)
    with pytest.raises(DataError, match="finds nobody in"):
        Folder(person="X[0-9]").load(tmp_path)
    with pytest.raises(DataError, match='only "S"'):
        Folder(person="S").load(tmp_path)
    with pytest.raises(DataError, match="check the option label"):
        Folder(label="nothing").load(tmp_path)
    with pytest.raises(DataError, match="check the option only"):
        Folder(only="nothing").load(tmp_path)


def test_cards_of_built_in_sets_name_every_option() -> None:
    for name in ("folder", "rafdb", "ferplus", "affectnet", "expw"):
        kind = DATASETS.load(name)
        path = Path(__import__(kind.__module__, fromlist=["x"]).__file__)
        card = read_card(path.with_name(f"{name}.card.toml"), DatasetCard)
        assert set(card.options) == set(option_names(kind))


@pytest.mark.parametrize(("name", "usage"), [
    ("train-00000-of-00001", 0), ("Training", 0), ("publicTest", 1), ("PublicTest", 1),
    ("fer_validation", 1), ("privateTest", 2), ("eval_test", 2), ("fer2013", None),
    ("interval", None), ("contest", None),
])  # fmt: skip
def test_whole_words_say_the_split_of_a_parquet_file(name: str, usage: int | None) -> None:
    assert usage_of(Path("data") / f"{name}.parquet") == usage


def test_a_parquet_file_of_no_split_beside_those_of_all_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    root = fer_parquet(tmp_path)
    first = next(root.rglob("*.parquet"))
    shutil.copy(first, first.with_name("fer2013.parquet"))
    with pytest.raises(DataError, match=r"fer2013\.parquet says none of"):
        FER2013().load(root)


def test_pictures_without_votes_of_their_split_are_counted(tmp_path: Path) -> None:
    generated(tmp_path)
    train, valid = tmp_path / "FER2013Train", tmp_path / "FER2013Valid"
    shutil.copy(train / "fer0000001.png", train / "mine.png")
    (valid / "fer0000102.png").rename(train / "fer0000102.png")
    faces = FERPlus(votes="label").load(tmp_path)
    assert (len(faces.train), len(faces.val)) == (8, 7)
    assert "2 pictures have no votes of the split that they lie in: left out." in faces.notes
