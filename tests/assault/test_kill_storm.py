"""A storm of SIGKILLs: what was interrupted ends bit for bit like what was left alone.

$LRFER_ASSAULT_KILLS kills (24 if it is not set) of main processes, workers, reports, merges and the
making of the cache, at random moments and at the n-th change of a file.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from folders import PLUGINS
from killing import Kill, shoot

from results import bits as results_bits

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("LRFER_ASSAULT_KILLS", "24"))
SHARES = {"run": 0.6, "report": 0.15, "merge": 0.15, "prepare": 0.1}
DATA = ["--plugin", str(PLUGINS / "tiny.py"), "--dataset", "tinyfaces"]
RUN = ["run", *DATA, "--methods", "slow,linear,enlarge", "--scales", "2", "--preset", "quick@1",
       "--workers", "2", "--no-report", "--seeds", "0,1"]  # fmt: skip
KILLS_A_CAMPAIGN = 5
WHOLE = ("models/*.safetensors", "logits/*")


def bits(results: Path) -> dict[str, Any]:
    names = sorted(path.name for path in (results / "records").iterdir())
    return {**results_bits(results, *WHOLE), "names of records": names}


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones as well."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def leftovers(folder: Path) -> list[str]:
    """Temporary files, and checkpoints of what is finished."""
    odd = [p for p in folder.rglob("*") if p.name.startswith((".tmp-", ".old-"))]
    return [str(path.relative_to(folder)) for path in [*odd, *folder.glob("checkpoints/*")]]


SECONDS: list[float] = []
"""How long the campaign took that nobody interrupted."""


@pytest.fixture(scope="module")
def alone(lrfer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that nobody interrupts."""
    results: Path = tmp_path_factory.mktemp("alone") / "results"
    began = time.monotonic()
    done = lrfer(*RUN, "--results", results)
    SECONDS.append(time.monotonic() - began)
    assert done.returncode == 0, done.stderr
    return results


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """Kills that hit, by what they hit; printed at the end."""
    counted: Counter[str] = Counter()
    yield counted
    print(f"\nkills that hit: {dict(sorted(counted.items()))}, {sum(counted.values())} in all")


def campaigns(part: str, kills: int = KILLS_A_CAMPAIGN) -> range:
    return range(max(1, round(KILLS * SHARES[part] / kills)))


@pytest.mark.parametrize("number", campaigns("run"))
def test_campaigns(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    results, rng = tmp_path / "results", random.Random(f"run {number}")
    asked = [*RUN, "--results", str(results)]
    for left in reversed(range(KILLS_A_CAMPAIGN)):
        kill = Kill.drawn(rng, "main" if left else "worker", (0.3 * SECONDS[0], SECONDS[0]), 15)
        ended = shoot(asked, kill, environment, results, tmp_path)
        assert ended.orphans == 0 and "Traceback" not in ended.said, ended.said
        assert ended.status in (0, -9), ended.said
        tally[f"run, {kill.role}"] += ended.hit
    done = lrfer(*asked)
    assert done.returncode == 0, done.stderr
    assert bits(results) == bits(alone)
    assert leftovers(results) == []


def storm(
    words: list[str], most: int, rng: random.Random, environment: dict[str, str], folder: Path
) -> int:
    """Kill a command again and again while it fills a folder; how many kills hit.

    One that comes to its end begins anew.
    """
    hits = 0
    for _ in range(KILLS_A_CAMPAIGN):
        kill = Kill("main", number=rng.randint(1, most))
        ended = shoot(words, kill, environment, folder, folder.parent)
        assert ended.status in (0, -9) and "Traceback" not in ended.said, ended.said
        hits += ended.hit
        if not ended.hit:
            shutil.rmtree(folder)
    return hits


@pytest.mark.parametrize("number", campaigns("report"))
def test_reports(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    rng, out, wanted = random.Random(f"report {number}"), tmp_path / "out", tmp_path / "wanted"
    asked = ["report", "--results", str(alone), "--pictures", "none", "--out", str(out)]
    assert lrfer(*asked).returncode == 0
    out.rename(wanted)
    tally["report"] += storm(asked, 15, rng, environment, out)
    assert lrfer(*asked).returncode == 0
    assert content(out) == content(wanted)


@pytest.mark.parametrize("number", campaigns("merge"))
def test_merges(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    rng, mine = random.Random(f"merge {number}"), tmp_path / "mine"
    wanted = {name: it for name, it in bits(alone).items() if not name.endswith(".safetensors")}
    asked = ["merge", "--results", str(mine), str(alone)]
    tally["merge"] += storm(asked, 30, rng, environment, mine)
    assert lrfer(*asked).returncode == 0
    assert lrfer(*RUN, "--results", mine).returncode == 0  # the next start sweeps
    assert bits(mine) == wanted and leftovers(mine) == []


@pytest.mark.parametrize("number", campaigns("prepare"))
def test_the_cache(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    rng, cache = random.Random(f"cache {number}"), tmp_path / "cache"
    mine = {**environment, "LRFER_CACHE": str(cache)}
    asked = ["datasets", "prepare", *DATA[:2], "tinyfaces"]
    tally["cache"] += storm(asked, 15, rng, mine, cache)
    again = lrfer(*RUN, "--results", tmp_path / "results", LRFER_CACHE=str(cache))
    assert again.returncode == 0, again.stderr
    assert bits(tmp_path / "results") == bits(alone) and leftovers(cache) == []
