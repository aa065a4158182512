"""Slips of a loader are sentences with the author's line."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import registries
from in_process import lrfer
from toy import Toy

from lrfer_bench.data.cache import prepare
from lrfer_bench.data.options import make_dataset
from lrfer_bench.errors import DataError, UserError
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import DATASETS

LOADER = """
import numpy as np
from lrfer_bench.api import Dataset, DatasetCard, FaceSet, Split, register_dataset


@register_dataset("mine")
class Mine(Dataset):
    card = DatasetCard(summary="mine")

    def __init__(self, size: int = 48):
        self.size = size

    def sources(self, root):
        return sorted(root.glob("*.npz"))

    def load(self, root):
        self.slip(root)

    def slip(self, root):
        pass
"""
SLIPS = {
    "sizes": ("np.stack([np.zeros((3, 2)), np.zeros((2, 2))])", "ValueError: all input arrays"),
    "split": ("np.load(root / 'a.npz')['val_images']", "KeyError: 'val_images"),
    "lines": ("raise RuntimeError('one\\n two')", r"RuntimeError: one two \("),
    "none": ("None.shape", "AttributeError: 'NoneType'"),
}


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    def loaded(old: str, new: str) -> Path:
        path = tmp_path / "mine.py"
        assert old in LOADER
        path.write_text(LOADER.replace(old, new))
        load_plugin(path)
        return path

    with registries.pristine():
        yield loaded


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_in_load_is_named_with_its_line(
    name: str, load: Callable[..., Path], tmp_path: Path
) -> None:
    slip, words = SLIPS[name]
    path, root = load("        pass", f"        {slip}"), tmp_path / "root"
    root.mkdir()
    np.savez(root / "a.npz", train_images=np.zeros(1))
    done = lrfer("datasets", "prepare", "mine", "--data-root", root, "--cache", tmp_path / "cache")
    assert done.status == 2 and "Traceback" not in done.err
    said = " ".join(done.err.split())
    assert 'the loader of the data set "mine" failed: ' in said and re.search(words, said)
    assert f"({path}:{LOADER.count(chr(10))})" in said


def test_a_slip_in_sources_is_named_too(load: Callable[..., Path], tmp_path: Path) -> None:
    path = load('sorted(root.glob("*.npz"))', "None")
    with pytest.raises(DataError, match=rf"TypeError: .*\({re.escape(str(path))}:13\)"):
        prepare(make_dataset("mine"), "mine", tmp_path, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("self.size = size", "self.side = size", "must keep its option size as self.size"),
        ("self.size = size", "raise ValueError('odd')", "cannot be made .*ValueError: odd"),
        ("def load(", "def lode(", "cannot be made .*TypeError: .*load"),
        ("class Mine(Dataset)", "class Mine", "is no class that derives from"),
    ],
)
def test_a_class_that_keeps_no_rule_is_refused(
    old: str, new: str, words: str, load: Callable[..., Path], tmp_path: Path
) -> None:
    path = load(old, new)
    with pytest.raises(UserError, match=rf"{words}.*{re.escape(str(path))}:\d+"):
        prepare(make_dataset("mine"), "mine", tmp_path, cache=tmp_path / "cache")


def test_files_that_are_needed_are_asked_for(load: Callable[..., Path], tmp_path: Path) -> None:
    load("root.glob", "[root] and root.glob")
    words = r"--data-root DIR \(data_root= in Python\)"
    with pytest.raises(DataError, match=words):
        prepare(make_dataset("mine"), "mine", None, cache=tmp_path)
    with pytest.raises(DataError, match="no seed"):  # what the loader says itself tells more
        prepare(Toy(), "toy", None, cache=tmp_path)
    for entry in DATASETS:
        if entry.built_in and entry.load().needs_root:
            with pytest.raises(DataError, match=r"needs your .*--data-root"):
                prepare(make_dataset(entry.name), entry.name, None, cache=tmp_path)


def test_files_and_folders_need_no_names_in_unicode_options_do(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"m\xfcller")
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes names in Unicode only")
    (odd / "seed.txt").write_text("1")
    (odd / "mine.py").write_text((Path(__file__).parents[1] / "support" / "toy.py").read_text())
    os.rename(odd / "mine.py", odd / os.fsdecode(b"\xfc.py"))
    spec = importlib.util.spec_from_file_location("odd_toy", odd / os.fsdecode(b"\xfc.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "odd_toy", module)
        spec.loader.exec_module(module)
        found = prepare(module.Toy(), "toy", odd, cache=tmp_path / "cache")
    assert len(found.faces.train) == 12
    with pytest.raises(UserError, match=r"data option side is \\udcfc, which is not Unicode"):
        prepare(Toy(side="\udcfc"), "toy", odd, cache=tmp_path / "cache")  # type: ignore[arg-type]


def test_a_data_set_without_files_gets_no_folder(tmp_path: Path) -> None:
    class Made(Toy):
        needs_root = False

        def sources(self, root):  # type: ignore[no-untyped-def]
            assert root is None
            return [seed]

    seed = tmp_path / "seed.txt"
    seed.write_text("1")
    assert len(prepare(Made(), "made", None, cache=tmp_path / "cache").faces.train) == 12
