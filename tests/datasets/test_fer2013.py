from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from made_files import few_faces, noise, write_csv, write_tree
from PIL import Image

from lrfer_bench.datasets.fer2013 import EMOTIONS, FER2013
from lrfer_bench.errors import DataError


def write_npz(path, faces):
    """As the packed archive: lossless strips of pictures one above the other.

    Here two of them, stored as RGB.
    """
    images, emotion, usage = faces
    parts = {}
    for number, strip in enumerate(np.array_split(images, 2)):
        buffer = io.BytesIO()
        Image.fromarray(strip.reshape(-1, 48)).convert("RGB").save(buffer, "PNG")
        parts[f"strip_{number:03d}"] = np.frombuffer(buffer.getvalue(), np.uint8)
    np.savez(path, emotion=emotion.astype(np.uint8), usage=usage.astype(np.uint8), **parts)
    return path


def test_csv_gives_every_row_in_its_split(tmp_path):
    images, emotion, usage = few_faces()
    faces = FER2013().load(write_csv(tmp_path / "fer2013.csv", few_faces())).check()
    assert (
        faces.classes
        == EMOTIONS
        == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    )
    for number, split in enumerate((faces.train, faces.val, faces.test)):
        rows = np.flatnonzero(usage == number)
        np.testing.assert_array_equal(split.images[:, 0], images[rows])
        np.testing.assert_array_equal(split.labels, emotion[rows])
        np.testing.assert_array_equal(split.rows, rows)
        assert split.images.shape[1:] == (1, 48, 48) and split.soft is None


def test_csv_icml_and_npz_have_one_fingerprint(tmp_path):
    csv = FER2013().load(write_csv(tmp_path / "fer2013.csv", few_faces())).fingerprint()
    icml = (
        FER2013()
        .load(write_csv(tmp_path / "icml_face_data.csv", few_faces(), icml=True))
        .fingerprint()
    )
    npz = FER2013().load(write_npz(tmp_path / "fer2013.npz", few_faces())).fingerprint()
    assert csv == icml == npz


def test_a_folder_with_several_forms_says_which_was_read(tmp_path):
    write_csv(tmp_path / "icml_face_data.csv", few_faces(), icml=True)
    write_npz(tmp_path / "fer2013.npz", few_faces())
    faces = FER2013().load(tmp_path)
    assert "Read from icml_face_data.csv; fer2013.npz beside it was not read." in faces.notes
    assert FER2013().sources(tmp_path) == (tmp_path / "icml_face_data.csv",)
    write_csv(tmp_path / "fer2013.csv", few_faces())
    assert FER2013().sources(tmp_path) == (tmp_path / "fer2013.csv",)


def yolo(root):
    write_tree(root, {"images/a.png": noise(0, 48, 48)})
    (root / "labels").mkdir()
    (root / "labels" / "a.txt").write_text("0 0.5 0.5 1 1")


def stray_parquet(root):
    (root / "other").mkdir()
    for name in ("train", "val", "test", "notes"):
        (root / "other" / f"{name}.parquet").write_text("")


def two_alike(root):
    for name in ("labels", "Labels"):
        (root / name).mkdir()


@pytest.mark.parametrize("beside", [yolo, stray_parquet, two_alike])
def test_a_fault_in_a_form_that_is_not_read_stops_nothing(tmp_path, beside):
    beside(tmp_path)
    if beside is not two_alike:  # alone it is a fault
        with pytest.raises(DataError, match=r"YOLO|notes\.parquet"):
            FER2013().sources(tmp_path)
    path = write_csv(tmp_path / "fer2013.csv", few_faces())
    assert FER2013().sources(tmp_path) == (path,)
    assert "Read from fer2013.csv." in FER2013().load(tmp_path).notes


def test_the_unpacked_archive_with_a_folder_in_it_is_found(tmp_path):
    (tmp_path / "fer2013").mkdir()
    path = write_csv(tmp_path / "fer2013" / "fer2013.csv", few_faces())
    assert FER2013().sources(tmp_path) == (path,)


def test_a_file_with_fewer_rows_than_published_says_so(tmp_path):
    faces = FER2013().load(write_csv(tmp_path / "fer2013.csv", few_faces()))
    assert "fer2013.csv has 21 rows; the published file has 35,887." in faces.notes


def test_quoted_fields_dos_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path):
    plain = write_csv(tmp_path / "fer2013.csv", few_faces())
    head, *lines = plain.read_text().splitlines()
    quoted = [",".join(f'"{field}"' for field in line.split(",")) for line in lines]
    other = tmp_path / "other.csv"
    other.write_bytes(("\ufeff" + "\r\n".join([head, *quoted]) + "\r\n\r\n").encode())
    assert FER2013().load(other).fingerprint() == FER2013().load(plain).fingerprint()


def line(number: int, change):
    """Changes one line of a CSV's lines; 0 is the header."""
    return lambda lines: [change(text) if i == number else text for i, text in enumerate(lines)]


def pixels(number: int, change):
    """Changes the list of pixels, as texts, in one line."""

    def apply(text: str) -> str:
        emotion, values, usage = text.split(",")
        return f"{emotion},{' '.join(change(values.split(' ')))},{usage}"

    return line(number, apply)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (line(0, lambda _: "emotion,pixels"), '"Usage".*emotion, pixels'),
        (line(0, lambda _: "label,pixels,Usage"), 'column "emotion"'),
        (pixels(5, lambda values: values[1:]), r"line 6 \(row 4\) .*2,303 .*2,304"),
        (pixels(5, lambda values: [*values, "7"]), r"line 6 \(row 4\) .*2,305 .*2,304"),
        (pixels(5, lambda values: []), r"line 6 \(row 4\) .* 0 .*2,304"),
        (pixels(3, lambda values: [*values[:9], "300", *values[10:]]),
         r'line 4 \(row 2\) .*"300".*pixel 9.*0 to 255'),
        (pixels(3, lambda values: ["-1", *values[1:]]), r'row 2\) .*"-1".*pixel 0'),
        (pixels(3, lambda values: ["abc", *values[1:]]), r'row 2\) .*"abc".*pixel 0'),
        (pixels(3, lambda values: [*values[:-1], "1.5"]), r'row 2\) .*"1\.5".*pixel 2303'),
        (line(7, lambda row: "7" + row[1:]), r'line 8 \(row 6\) .*emotion "7"'),
        (line(7, lambda row: "happy" + row[1:]), r'row 6\) .*emotion "happy"'),
        (line(9, lambda row: row.replace("PublicTest", "Test")), r'row 8\) .*Usage "Test"'),
        (line(21, lambda row: row[:3000]), r"line 22 \(row 20\) .*2 of 3 columns"),
        (line(21, lambda row: row[:-4]), r'row 20\) .*Usage "Private"'),
        (lambda lines: lines[:12], "PrivateTest"),
        (lambda lines: lines[:1], "no rows"),
        (lambda lines: [], "empty"),
    ],
)  # fmt: skip
def test_a_spoilt_csv_is_named_with_file_and_row(tmp_path, change, message):
    path = write_csv(tmp_path / "fer2013.csv", few_faces())
    lines = change(path.read_text().splitlines())
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=message) as caught:
        FER2013().load(tmp_path)
    assert "fer2013.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_an_icml_file_cut_among_its_pixels_is_named(tmp_path):
    path = write_csv(tmp_path / "icml_face_data.csv", few_faces(), icml=True)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(DataError, match=r"line 22 \(row 20\) .*2,29\d "):
        FER2013().load(path)


def test_a_damaged_npz_is_named(tmp_path):
    path = write_npz(tmp_path / "fer2013.npz", few_faces())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"fer2013\.npz .*archive"):
        FER2013().load(path)
    path.write_bytes(whole[:5000] + bytes(300) + whole[5300:])
    with pytest.raises(DataError, match=r"fer2013\.npz .*archive"):
        FER2013().load(path)
    np.savez(path, emotion=np.zeros(3, np.uint8))
    with pytest.raises(DataError, match=r"fer2013\.npz .*archive"):
        FER2013().load(path)


def test_a_wrong_root_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError, match="--data-root"):
        FER2013().load(None)
    with pytest.raises(DataError, match="nowhere"):
        FER2013().sources(tmp_path / "nowhere")
    with pytest.raises(
        DataError, match=r"fer2013\.csv, icml_face_data\.csv, train/ and test/, fer2013\.npz"
    ):
        FER2013().sources(tmp_path)
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match=r"\.csv .*\.npz"):
        FER2013().sources(tmp_path / "a.txt")


@pytest.fixture
def tree(tmp_path):
    """20 training pictures of each class, two of them alike, and 4 test pictures."""
    pictures = {}
    for label, name in enumerate(EMOTIONS):
        for number in range(20):
            pictures[f"train/{name}/im{number}.png"] = noise(100 * label + number, 48, 48)
        pictures[f"train/{name}/im19.png"] = pictures[f"train/{name}/im3.png"]
        for number in range(4):
            pictures[f"test/{name}/im{number}.png"] = noise(5000 + 100 * label + number, 48, 48)
    return write_tree(tmp_path / "tree", pictures)


def test_the_folder_tree_has_its_validation_cut_from_train_and_says_so(tree):
    faces = FER2013().load(tree).check()
    assert len(faces.test) == 28 and len(faces.train) + len(faces.val) == 140
    assert 14 <= len(faces.val) <= 21
    assert set(faces.val.labels.tolist()) == set(range(7))
    notes = " ".join(faces.notes)
    assert "no PublicTest/PrivateTest split" in notes and "cut from train" in notes
    train = {image.tobytes() for image in faces.train.images}
    assert not train & {image.tobytes() for image in faces.val.images}, (
        "copies must stay on one side"
    )


def test_the_cut_does_not_depend_on_file_names(tree, tmp_path):
    before = FER2013().load(tree)
    other = tmp_path / "other"
    shutil.copytree(tree, other)
    for number, path in enumerate(sorted((other / "train" / "sad").iterdir(), reverse=True)):
        path.rename(path.with_name(f"z{number}.png"))
    after = FER2013().load(other)
    assert {i.tobytes() for i in before.val.images} == {i.tobytes() for i in after.val.images}


def test_file_names_that_keep_the_official_split_are_used(tmp_path):
    pictures = {}
    for label, name in enumerate(EMOTIONS):
        pictures[f"train/{name}/Training_{label}.jpg"] = noise(label, 48, 48)
        pictures[f"test/{name}/PublicTest_{label}.jpg"] = noise(50 + label, 48, 48)
        pictures[f"test/{name}/PrivateTest_{label}.jpg"] = noise(90 + label, 48, 48)
    faces = FER2013().load(write_tree(tmp_path, pictures)).check()
    assert [len(faces.splits[name]) for name in ("train", "val", "test")] == [7, 7, 7]
    assert any("keep the official split" in note for note in faces.notes)


def test_faults_of_the_folder_tree_are_named(tree):
    odd = tree / "train" / "sad" / "odd.png"
    Image.fromarray(noise(0, 50, 48)).save(odd)
    with pytest.raises(DataError, match=r"odd\.png .*48 x 50.*48 x 48"):
        FER2013().load(tree)
    odd.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"odd\.png .*decoded"):
        FER2013().load(tree)
    odd.unlink()
    (tree / "train" / "bored").mkdir()
    Image.fromarray(noise(0, 48, 48)).save(tree / "train" / "bored" / "a.png")
    with pytest.raises(DataError, match=r'"bored".*angry'):
        FER2013().load(tree)


def test_parquet_files_of_another_set_are_not_read_where_the_users_tree_has_a_fault(tmp_path):
    stray_parquet(tmp_path)
    (tmp_path / "other" / "notes.parquet").unlink()
    assert {path.suffix for path in FER2013().sources(tmp_path)} == {".parquet"}
    for name in ("train", "training", "test"):
        write_tree(tmp_path, {f"{name}/happy/a.png": noise(0, 48, 48)})
    with pytest.raises(DataError, match="both train and training"):
        FER2013().sources(tmp_path)


@pytest.mark.parametrize("beside", ["two_alike", "stray_parquet", "parquet of another set"])
def test_what_else_lies_in_the_root_does_not_hide_the_folder_fer2013(tmp_path, beside):
    if beside == "two_alike":
        for name in ("train", "training"):
            write_tree(tmp_path, {f"{name}/happy/a.png": noise(0, 48, 48)})
    else:
        stray_parquet(tmp_path)
        if beside != "stray_parquet":
            (tmp_path / "other" / "notes.parquet").unlink()
    (tmp_path / "fer2013").mkdir()
    if beside != "parquet of another set":
        with pytest.raises(DataError):  # alone it is a fault
            FER2013().sources(tmp_path)
    path = write_csv(tmp_path / "fer2013" / "fer2013.csv", few_faces())
    assert FER2013().sources(tmp_path) == (path,)
    assert FER2013().load(tmp_path).notes[0] == "Read from fer2013.csv."
