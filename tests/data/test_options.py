from __future__ import annotations

import pytest

from lrfer_bench.contract.dataset import Dataset
from lrfer_bench.data.options import make_dataset
from lrfer_bench.errors import UserError
from lrfer_bench.planning.settings import parse_options
from lrfer_bench.plugins.registry import DATASETS


def test_values_become_what_they_look_like():
    pairs = [
        "size=112",
        "min-confidence=20.5",
        "colour=grey",
        "flag=True",
        "other=none",
        "text=a=b",
    ]
    assert parse_options(pairs) == {
        "size": 112,
        "min_confidence": 20.5,
        "colour": "grey",
        "flag": True,
        "other": None,
        "text": "a=b",
    }


def test_wrong_pairs_are_named():
    with pytest.raises(UserError, match=r'"size".*name=value'):
        parse_options(["size"])
    with pytest.raises(UserError, match="twice"):
        parse_options(["size=1", "size=2"])


def test_make_dataset():
    assert make_dataset("expw", {"size": 48}).size == 48
    with pytest.raises(UserError, match=r'"expw".*"sice".*"size"'):
        make_dataset("expw", {"sice": 48})
    with pytest.raises(UserError, match=r'"fer2013".*"size"'):
        make_dataset("fer2013", {"size": 48})
    with pytest.raises(UserError, match=r'"fer2031".*"fer2013"'):
        make_dataset("fer2031")


def test_an_option_without_a_default_has_to_be_given():
    class Wanting(Dataset):
        def __init__(self, folder, size=48):
            self.folder, self.size = folder, size

        def sources(self, root):
            return []

        def load(self, root):
            raise NotImplementedError

    with DATASETS.scope():
        DATASETS.add("wanting", Wanting, "here")
        with pytest.raises(UserError, match=r'no default for its option "folder".*--data-option'):
            make_dataset("wanting", {"size": 12})
        assert make_dataset("wanting", {"folder": "x"}).size == 48
