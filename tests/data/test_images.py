"""Pictures, texts and folders as other programs leave them."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from made_files import noise, write_tree
from PIL import Image

from lrfer_bench.data import reading
from lrfer_bench.data.cache import prepare
from lrfer_bench.data.images import BadPicture, Crop, open_image, read_splits, to_array
from lrfer_bench.data.listing import below
from lrfer_bench.data.text import read_lines
from lrfer_bench.data.unread import remarks_on
from lrfer_bench.datasets.folder import Folder
from lrfer_bench.errors import DataError

ODD_EXIF = {  # tag, type, bytes of the value, what lies behind the table
    "negative rational": (0x11A, 10, struct.pack("<L", 38), struct.pack("<ll", -1, 0)),
    "negative long": (0x213, 9, struct.pack("<l", -5), b""),
    "negative short": (0x128, 8, struct.pack("<hh", -5, 0), b""),
}


@pytest.mark.parametrize("kind", ODD_EXIF)
def test_odd_metadata_does_not_matter_and_the_picture_is_upright(kind: str, tmp_path: Path) -> None:
    tag, form, value, behind = ODD_EXIF[kind]
    table = struct.pack("<HHLHH", 0x112, 3, 1, 6, 0) + struct.pack("<HHL", tag, form, 1) + value
    head = b"Exif\0\0II*\0" + struct.pack("<LH", 8, 2)
    exif = head + table + struct.pack("<L", 0) + behind
    wide = np.zeros((20, 40, 3), np.uint8)
    wide[:, 30:] = 255
    Image.fromarray(wide).save(tmp_path / "a.jpg", exif=exif)
    upright = open_image(tmp_path / "a.jpg")
    assert upright.size == (20, 40) and np.asarray(upright)[35:].mean() > 250


def png(colour: int, values: np.ndarray, bits: int) -> bytes:
    """A PNG file, written by its standard: Pillow writes no colours of 16 bits."""
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(f">u{bits // 8}").tobytes() for row in values)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_more_than_8_bits_a_channel_are_refused(colour: int, channels: int, tmp_path: Path) -> None:
    """Of 12 bits in 16 the high byte alone, which Pillow keeps of colours, is nearly black."""
    path = tmp_path / "a.png"
    path.write_bytes(png(colour, noise(1, 8, 8 * channels).reshape(8, 8, channels), 8))
    assert open_image(path).size == (8, 8)
    path.write_bytes(png(colour, np.full((8, 8, channels), 4095), 16))
    with pytest.raises(BadPicture, match=r"more than 8 bits a channel: convert it to 8 bits"):
        open_image(path)


@pytest.mark.parametrize("colour", ["grey", "rgb"])
def test_pixels_of_a_kind_that_has_no_way_to_grey_go_through_rgb(
    colour: str, tmp_path: Path
) -> None:
    Image.new("LAB", (8, 8), (200, 10, 10)).save(tmp_path / "a.tif")
    picture = open_image(tmp_path / "a.tif")
    assert to_array(picture, colour).shape == ({"grey": 1, "rgb": 3}[colour], 8, 8)


def test_a_palette_with_transparency_is_no_warning(tmp_path: Path) -> None:
    picture = Image.new("P", (4, 4))
    picture.putpalette([9, 9, 9, 200, 100, 50])
    picture.save(tmp_path / "a.png", transparency=b"\0\x80")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert to_array(open_image(tmp_path / "a.png"), "rgb").tolist() == [[[9] * 4] * 4] * 3


def test_bad_pictures_of_all_splits_are_named_in_one_message(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a.png": noise(1, 8, 8)})
    bad = []
    for number in range(12):
        bad.append(tmp_path / f"bad{number:02d}.png")
        bad[-1].write_bytes(b"no picture")
    good = [tmp_path / "a.png"]
    with pytest.raises(DataError, match=r"12 pictures .*bad00.*bad09.*and 2 more") as caught:
        read_splits({"train": good + bad[:6], "test": bad[6:]}, "grey", None, advice="x")
    assert "bad10" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_texts_with_and_without_a_byte_order_mark(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(end.join(["train_1.jpg 5", "zwei 6"]).encode(encoding))
    assert read_lines(path) == ["train_1.jpg 5", "zwei 6"]


def test_a_text_in_another_encoding_says_which_was_tried(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg 5")
    with pytest.raises(DataError, match="UTF-8"):
        read_lines(tmp_path / "list.txt")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    pictures = {
        f"{split}/{name}/{n}.png": noise(100 * s + 10 * c + n, 16, 16)
        for s, split in enumerate(("train", "val", "test"))
        for c, name in enumerate(("glad", "sad"))
        for n in range(3)
    }
    return write_tree(tmp_path / "tree", pictures)


PLACES = ["train/glad/@eaDir", "train/@eaDir", "train/__MACOSX/glad", "train/lost+found",
          "#recycle", "$RECYCLE.BIN", "System Volume Information"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_clutter_of_file_servers_is_left_out(place: str, tree: Path) -> None:
    plain = Folder().load(tree)
    (tree / place).mkdir(parents=True)
    (tree / place / "._0.png").write_bytes(b"\0\5\26\7")
    (tree / place / "0.png").write_bytes(b"x")
    cluttered = Folder().load(tree)
    assert cluttered.fingerprint() == plain.fingerprint() and not cluttered.notes
    assert len(list(below(tree))) == 18  # what predict would look at


def test_names_that_are_not_utf8(tree: Path, tmp_path: Path) -> None:
    with open(os.fsencode(tree / "train" / "glad") + b"/caf\xe9.txt", "wb"):
        pass
    prepared = prepare(Folder(), "folder", tree, cache=tmp_path / "cache")
    assert any("caf" in note and note.isascii() for note in prepared.faces.notes)
    name = os.fsencode(tree / "train") + "/\u751f\u6c14".encode("gbk")
    os.rename(os.fsencode(tree / "train" / "glad"), name)
    with pytest.raises(DataError, match=r"not UTF-8.*convmv"):
        Folder().load(tree)


def test_one_class_and_layouts_for_detection(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        write_tree(tmp_path, {f"{split}/images/{n}.png": noise(n, 8, 8) for n in range(2)})
    with pytest.raises(DataError, match=r"only the class images.*two"):
        Folder().load(tmp_path).check()
    (tmp_path / "train" / "labels").mkdir()
    (tmp_path / "train" / "labels" / "0.txt").write_text("3 0.5 0.5 1 1\n")
    with pytest.raises(DataError, match="YOLO"):
        Folder().load(tmp_path)


def test_a_class_of_unreadable_kinds_is_not_called_empty(tree: Path) -> None:
    for path in (tree / "test" / "sad").iterdir():
        path.rename(path.with_suffix(".heic"))
    with pytest.raises(DataError, match=r"3 files with \.heic"):
        Folder().load(tree)


def test_large_sets_go_through_a_file_and_are_the_same(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = prepare(Folder(), "folder", tree, cache=tmp_path / "memory")
    monkeypatch.setattr(reading, "IN_MEMORY", 100)
    heard: list[tuple[int, int]] = []
    filed = prepare(
        Folder(), "folder", tree, cache=tmp_path / "file", tick=lambda *now: heard.append(now)
    )
    assert filed.fingerprint == plain.fingerprint == filed.faces.fingerprint()
    assert heard == [(n, 18) for n in range(1, 19)]
    for path in sorted(plain.directory.glob("*.npy")):
        assert (filed.directory / path.name).read_bytes() == path.read_bytes()
    assert [path.name for path in (tmp_path / "file" / "datasets").iterdir()] == [
        filed.directory.name
    ]


@pytest.mark.parametrize("size", [(8000, 6000), (10000, 9500)])
def test_a_sound_picture_of_too_many_pixels_is_to_be_made_smaller(
    size: tuple[int, int], tmp_path: Path
) -> None:
    """Pillow has a limit of its own above ours."""
    Image.new("1", size).save(tmp_path / "large.png")
    with pytest.raises(DataError, match="has more than 40 million pixels: make it smaller"):
        open_image(tmp_path / "large.png")


def test_frames_and_transparency_are_counted_in_a_note(tmp_path: Path) -> None:
    """An alpha that hides nothing is none, and the other pictures of the tree are plain."""
    faces = [Image.fromarray(noise(seed, 8, 8)) for seed in range(12)]
    places = [f"{split}/{name}" for split in ("train", "test") for name in ("a", "b")]
    root = write_tree(
        tmp_path / "faces", {f"{p}/{k}.png": faces[k] for k, p in enumerate(2 * places)}
    )
    assert "Pictures with" not in notes_of(root)
    for place, alpha in (("train", 0), ("test", 254), ("test", 255)):
        seen = Image.fromarray(noise(20 + alpha, 8, 8)).convert("RGBA")
        seen.putalpha(alpha)
        seen.save(root / place / "a" / f"alpha{alpha}.png")
    key = Image.fromarray(np.full((8, 8), 7, np.uint8))
    key.save(root / "train" / "b" / "key.png", transparency=7)
    faces[9].save(root / "test" / "b" / "moves.gif", save_all=True, append_images=faces[10:])
    notes = notes_of(root)
    assert "transparent pixels, whose colours were read as they are stored: 3." in notes
    assert "Pictures with several frames, of which the first was read: 1." in notes


def notes_of(root: Path) -> str:
    kind = Folder(colour="grey", size=8)
    return " ".join(prepare(kind, "folder", root, cache=root.parent / "cache").faces.notes)


def test_boxes_of_turned_pictures_are_counted_in_a_note(tmp_path: Path) -> None:
    """Nothing of a picture without a box is said, which stands upright."""
    turned = Image.Exif()
    turned[0x112] = 6
    paths = [tmp_path / f"{name}.jpg" for name in "ab"]
    for path, exif in zip(paths, (turned, Image.Exif()), strict=True):
        Image.fromarray(noise(1, 20, 40)).save(path, exif=exif)
    crops = [Crop(path, lambda width, height: (0, 0, width, height)) for path in paths]
    said = []
    for sources in (crops, paths):
        with reading.reading(tmp_path) as noticed:
            faces = read_splits({"train": sources}, "grey", 8, advice="")["train"]
        said.append(remarks_on(noticed))
        assert faces.shape == (2, 1, 8, 8)
    assert said == [
        ("Pictures with a box and an Orientation tag, whose box was taken after the turn: 1.",),
        (),
    ]
