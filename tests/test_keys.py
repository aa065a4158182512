import math
import subprocess
import sys

import pytest

from lrfer_bench.keys import canonical_json, key_of, seed_for


def test_canonical_json_ignores_order_and_keeps_types_apart() -> None:
    assert canonical_json({"b": (1, 2), "a": 1.0}) == '{"a":1.0,"b":[1,2]}'
    assert key_of({"x": 1}) != key_of({"x": 1.0}) != key_of({"x": "1"})
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


def test_key_is_sha256_of_the_canonical_form() -> None:
    # printf '{"a":1}' | sha256sum
    assert key_of({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_nan_has_no_key() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        key_of({"weight": math.nan})


def test_seeds_depend_on_names_alone_and_not_on_the_process() -> None:
    here = seed_for("key", "init")
    there = subprocess.run(
        [sys.executable, "-c", "from lrfer_bench.keys import seed_for; print(seed_for('key', "
                               "'init'))"],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert int(there.stdout) == here
    assert len({seed_for("key", name) for name in ("init", "order", "epoch")}) == 3
    assert seed_for("ab", "c") != seed_for("a", "bc")
    assert 0 <= here < 2**63
