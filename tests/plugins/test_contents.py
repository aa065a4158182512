"""Files that settings name are known by their content, wherever they lie."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from lrfer_bench.errors import UserError
from lrfer_bench.plugins import contents
from lrfer_bench.plugins.contents import (
    add_content,
    content_of,
    found,
    keep_content,
    met,
    name_of,
    place_of,
)

GOOD = f"sha256:{hashlib.sha256(b'good').hexdigest()}"


@pytest.fixture(autouse=True)
def a_new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(contents, "_SEEN", {})


def test_one_content_under_two_names_is_one(tmp_path: Path) -> None:
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).write_bytes(b"good")
        assert content_of("m.file", str(tmp_path / name)) == GOOD
    assert content_of("m.file", GOOD) == GOOD


def test_an_edited_file_has_another_content(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    file.write_bytes(b"good")
    content_of("m.file", str(file))
    file.write_bytes(b"else")
    assert content_of("m.file", str(file)) != GOOD and place_of(GOOD) is None


def test_a_kept_file_is_found_when_its_first_place_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.pth"
    file.write_bytes(b"good")
    keep_content(content_of("m.file", str(file)))
    file.unlink()
    monkeypatch.setattr(contents, "_SEEN", {})
    place = place_of(GOOD)
    assert place is not None and place.name == "a.pth" and place.read_bytes() == b"good"
    assert found("m.file", GOOD) == place and name_of(GOOD) == "a.pth"


def test_a_damaged_copy_is_not_used(tmp_path: Path) -> None:
    add_content(b"good", "a.pth")
    place = place_of(GOOD)
    assert place is not None
    place.write_bytes(b"bad!")
    assert place_of(GOOD) is None
    with pytest.raises(UserError, match="no file here has the content"):
        found("m.file", GOOD)


def test_what_travels_is_what_this_process_met(tmp_path: Path) -> None:
    add_content(b"good", "a.safetensors")
    (tmp_path / "b.pth").write_bytes(b"more")
    more = content_of("m.file", str(tmp_path / "b.pth"))
    assert {content: place.name for content, place in met().items()} == {
        GOOD: "a.safetensors",
        more: "b.pth",
    }
    assert name_of(GOOD) == "a"


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"m\.file=.*no\.pth cannot be read .*check the path"):
        content_of("m.file", str(tmp_path / "no.pth"))


def test_a_content_that_no_file_has_is_a_sentence_in_order() -> None:
    gone = "sha256:" + 64 * "1"
    contents.remember(gone, "there/own.pth")
    with pytest.raises(UserError) as caught:
        found("weights", gone)
    assert str(caught.value).endswith(
        "last read as there/own.pth: give the file itself once with --set METHOD.weights=FILE"
    )
    with pytest.raises(UserError, match=r"own.pth: fetch it"):
        found("weights", gone, "fetch it")
