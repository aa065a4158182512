"""A user's own training budget: read from TOML, known by its content, refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from lrfer_bench.contract.own_preset import OWN, chosen_preset, preset_text, read_preset
from lrfer_bench.contract.preset import PRESETS, preset_of
from lrfer_bench.errors import UserError


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    preset = read_preset(written(tmp_path, 'base = "cpu"\nepochs = 20\nlr = 1\n'))
    base = preset_of("cpu")
    assert (preset.name, preset.epochs, preset.lr) == ("mine", 20, 1.0)
    same = {"name", "version", "summary", "epochs", "lr"}
    for field, value in base.settings().items():
        assert field in same or getattr(preset, field) == value
    assert OWN.fullmatch(preset.id)


def test_the_id_follows_content_and_name(tmp_path: Path) -> None:
    first = read_preset(written(tmp_path, 'base = "cpu"\nepochs = 20\n'))
    spelled = read_preset(written(tmp_path, '# a note\nepochs = 20\nbase = "cpu@2"\n'))
    assert first.id == spelled.id
    assert first.content() == spelled.content()
    other = read_preset(written(tmp_path, 'base = "cpu"\nepochs = 21\n'))
    named = read_preset(written(tmp_path, 'base = "cpu"\nepochs = 20\nname = "long"\n'))
    assert len({first.id, other.id, named.id}) == 3
    summary = read_preset(written(tmp_path, 'base = "cpu"\nepochs = 20\nsummary = "slow"\n'))
    assert summary.id == first.id, "prose is no content"


@pytest.mark.parametrize("base", list(PRESETS))
def test_what_is_written_out_reads_as_the_same_preset(tmp_path: Path, base: str) -> None:
    preset = read_preset(written(tmp_path, f'base = "{base}"\nepochs = 3\n'))
    again = read_preset(written(tmp_path, preset_text(preset), f"{preset.id}.toml"))
    assert again == preset


def test_short_forms_are_the_same_as_a_file(tmp_path: Path) -> None:
    short = chosen_preset("cpu", {"epochs": 20, "batch": None, "lr": 0.2})
    text = 'base = "cpu"\nname = "cpu-own"\nepochs = 20\nlr = 0.2\n'
    assert short.id == chosen_preset(str(written(tmp_path, text))).id
    assert chosen_preset("cpu", {"epochs": None}) is preset_of("cpu")


def test_what_a_preset_has_already_is_no_change(tmp_path: Path) -> None:
    cpu = preset_of("cpu")
    assert chosen_preset("cpu", {"epochs": cpu.epochs, "lr": cpu.lr}) is cpu
    short = chosen_preset("cpu", {"epochs": 20, "lr": cpu.lr})
    assert short == chosen_preset("cpu", {"epochs": 20})
    file = str(written(tmp_path, 'base = "cpu"\nepochs = 20\n'))
    assert chosen_preset(file, {"epochs": 20}) == chosen_preset(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('base = "cpu"\nepoch = 3\n', 'did you mean "epochs"'),
        ('base = "cpu"\nversion = 3\n', "no .version."),
        ('base = "cpuu"\n', 'did you mean "cpu"'),
        ("epochs = 3\n", "names no base"),
        ("base = 3\n", "names no base"),
        ('base = "cpu"\nepochs = 0\n', "epochs is 0: it goes from 1"),
        ('base = "cpu"\nepochs = 2.5\n', "epochs is 2.5"),
        ('base = "cpu"\nepochs = "3"\n', "epochs is"),
        ('base = "cpu"\nepochs = true\n', "epochs is True"),
        ('base = "cpu"\nlr = nan\n', "lr is nan"),
        ('base = "cpu"\nlr = -0.1\n', "lr is -0.1"),
        ('base = "cpu"\nselection = "best-test"\n', "selection is"),
        ('base = "cpu"\nname = "../x"\n', "the name"),
        ("base = \n", "not TOML"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read_preset(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        chosen_preset(str(tmp_path / "no.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not TOML"):
        chosen_preset(str(tmp_path / "bytes.toml"))


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert read_preset(written(tmp_path, '\ufeffbase = "cpu"\n')).name == "mine"


def test_a_file_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in --preset=~/mine.toml, where the shell leaves the ~."""
    written(tmp_path, 'base = "cpu"\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    assert chosen_preset("~/mine.toml").name == "mine"
    with pytest.raises(UserError, match="cannot be read"):
        chosen_preset("~nobody-of-this-name/mine.toml")


def test_any_text_is_written_so_that_it_can_be_read(tmp_path: Path) -> None:
    preset = read_preset(written(tmp_path, 'base = "cpu"\nsummary = "schön 😀 \\u007f"\n'))
    again = read_preset(written(tmp_path, preset_text(preset), f"{preset.id}.toml"))
    assert again == preset and "😀" in again.summary


def test_a_long_name_with_a_change_is_a_preset_too(tmp_path: Path) -> None:
    name = "n" * 40
    path = written(tmp_path, 'base = "cpu"\nepochs = 3\n', f"{name}.toml")
    assert OWN.fullmatch(chosen_preset(str(path), {"epochs": 5}).id)
