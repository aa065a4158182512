"""The data set that docs/datasets.md teaches to write, run as it stands there."""

from __future__ import annotations

import re

import numpy as np
import pytest
import registries
from folders import ROOT

from lrfer_bench.data.cache import prepare
from lrfer_bench.data.options import make_dataset
from lrfer_bench.errors import DataError
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import PLUGIN_ERRORS

PAGE = ROOT / "docs" / "datasets.md"


@pytest.fixture
def plugin(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    file = tmp_path / "myfaces.py"
    file.write_text(code)
    with registries.kept():
        load_plugin(file)
        assert str(file) not in PLUGIN_ERRORS, PLUGIN_ERRORS
        yield file


def test_the_example_works(plugin, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {}
    for name, count in (("train", 8), ("val", 4), ("test", 4)):
        arrays[f"{name}_images"] = rng.integers(0, 256, (count, 1, 12, 12), dtype=np.uint8)
        arrays[f"{name}_labels"] = np.arange(count) % 2
    np.savez(tmp_path / "faces.npz", **arrays)
    plain = prepare(make_dataset("myfaces"), "myfaces", tmp_path, cache=tmp_path / "cache")
    negative = prepare(
        make_dataset("myfaces", {"negative": True}), "myfaces", tmp_path, cache=tmp_path / "cache"
    )
    np.testing.assert_array_equal(negative.faces.test.images, 255 - arrays["test_images"])
    assert plain.fingerprint != negative.fingerprint and negative.options == {"negative": True}
    with pytest.raises(DataError, match=r"faces\.npz"):
        prepare(make_dataset("myfaces"), "myfaces", tmp_path / "cache", cache=tmp_path / "cache")
