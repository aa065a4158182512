"""A preset file in somebody else's results folder is looked at before it is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.contract.own_preset import chosen_preset
from lrfer_bench.errors import UserError
from lrfer_bench.store.presets import keep_preset, preset_of_record

NAME = "mine@0123abcd"


def endless(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(1 << 40)


MAKERS: tuple[Callable[[Path], Any], ...] = (
    os.mkfifo, endless, Path.mkdir, lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to(path), lambda path: path.write_text("x = " + "[" * 5000),
    lambda path: path.write_bytes(b"\xff"), lambda path: path.write_text("epochs = 1"),
    lambda path: None,
)  # fmt: skip


@pytest.mark.parametrize("make", MAKERS)
def test_it_is_one_sentence(make: Callable[[Path], Any], tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    make(tmp_path / "presets" / f"{NAME}.toml")
    with pytest.raises(UserError, match="preset file"):
        preset_of_record(tmp_path, NAME)


def test_a_changed_file_is_set_aside_before_records_name_it(tmp_path: Path) -> None:
    preset = chosen_preset("quick", {"epochs": 3})
    path = tmp_path / "presets" / f"{preset.id}.toml"
    keep_preset(tmp_path, preset)
    path.write_text(path.read_text().replace("epochs = 3", "epochs = 4"))
    keep_preset(tmp_path, preset)
    assert preset_of_record(tmp_path, preset.id).content() == preset.content()
    path.unlink()
    path.mkdir()
    keep_preset(tmp_path, preset)
    keep_preset(tmp_path, preset)
    assert preset_of_record(tmp_path, preset.id).content() == preset.content()
    aside = sorted(found.name for found in path.parent.iterdir())
    assert aside == [path.name, f"{path.name}.changed", f"{path.name}.changed-2"]
