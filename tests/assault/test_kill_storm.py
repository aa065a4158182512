"""A storm of SIGKILLs: what was interrupted ends bit for bit like what was left alone.

$LRFER_ASSAULT_KILLS kills (24 if it is not set) of main processes, workers, reports, merges and the
making of the cache, at random moments and at the n-th change of a file. $LRFER_ASSAULT_SEED draws
other ones, so that a long storm can be run in parts; $LRFER_ASSAULT_TALLY is a file to which each
part adds a line of JSON. benchmarks/kill_storm.py runs the parts and adds them up.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
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
SEED = int(os.environ.get("LRFER_ASSAULT_SEED", "0"))
TALLY = os.environ.get("LRFER_ASSAULT_TALLY", "")
SHARES = {"run": 0.6, "report": 0.15, "merge": 0.15, "prepare": 0.1}
DATA = ["--plugin", str(PLUGINS / "tiny.py"), "--dataset", "tinyfaces"]
RUN = ["run", *DATA, "--methods", "slow,linear,enlarge", "--scales", "2", "--preset", "quick@1",
       "--workers", "2", "--no-report", "--seeds", "0,1"]  # fmt: skip
KILLS_A_CAMPAIGN = 5
CHANGES = {"main": 60, "worker": 2, "report": 15, "merge": 30, "cache": 15}
"""Which change of a file is the last to be aimed at; a whole run makes 91, its workers two each."""
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


def drawing(part: str, number: int) -> random.Random:
    """Where the moments of a campaign come from; those of seed 0 are the storm's first."""
    return random.Random(f"{part} {number}" if SEED == 0 else f"{part} {number} of {SEED}")


def timed(lrfer: Any, words: list[str], **extra: str) -> float:
    """How long a command takes that nobody interrupts, in seconds."""
    began = time.monotonic()
    done = lrfer(*words, **extra)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


@pytest.fixture(scope="module")
def alone(lrfer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that nobody interrupts."""
    results: Path = tmp_path_factory.mktemp("alone") / "results"
    SECONDS.append(timed(lrfer, [*RUN, "--results", str(results)]))
    return results


@pytest.fixture(scope="module")
def tally() -> Iterator[Counter[str]]:
    """Kills that hit, by what they hit; printed at the end, and added to the tally."""
    counted: Counter[str] = Counter()
    began = time.monotonic()
    yield counted
    seconds, hits = round(time.monotonic() - began), dict(sorted(counted.items()))
    print(f"\nkills that hit: {hits}, {sum(counted.values())} in all, in {seconds} s")
    assert counted, "no test of this file ran"
    missed = {what.partition(" at ")[0] for what in counted} - {
        what.partition(" at ")[0] for what, hit in counted.items() if hit
    }
    # Few kills may all come too late; where a role had many, its kills have to find it.
    assert len(missed) < 5 and (KILLS < 20 or not missed & {"main", "report", "merge", "cache"})
    if TALLY:
        with open(TALLY, "a") as file:
            file.write(json.dumps({"seed": SEED, "hits": hits, "seconds": seconds}) + "\n")


def count(tally: Counter[str], what: str, kill: Kill, hit: bool) -> None:
    """Enter a kill that hit, under what it hit and the kind of its moment."""
    how = "at a moment" if kill.number is None else "at a file"
    tally[f"{what} {how}"] += hit


def without_start(said: str) -> str:
    """Without what Python itself says in a worker whose parent was killed while it started it.

    That worker has not come to our code yet, and ends at once.
    """
    begins = r'Traceback \(most recent call last\):\n  File "<string>", line 1, in <module>\n'
    return re.sub(begins + r"(?: .*\n)*EOFError: Ran out of input\n", "", said)


def campaigns(part: str, kills: int = KILLS_A_CAMPAIGN) -> range:
    return range(max(1, round(KILLS * SHARES[part] / kills)))


@pytest.mark.parametrize("number", campaigns("run"))
def test_campaigns(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    results, rng = tmp_path / "results", drawing("run", number)
    asked = [*RUN, "--results", str(results)]
    for left in reversed(range(KILLS_A_CAMPAIGN)):
        # What is left of the work when the worker is aimed at takes half of the time.
        role, most = ("main", SECONDS[0]) if left else ("worker", 0.5 * SECONDS[0])
        kill = Kill.drawn(rng, role, (0.2 * SECONDS[0], most), CHANGES[role])
        ended = shoot(asked, kill, environment, results, tmp_path)
        assert ended.orphans == 0 and "Traceback" not in without_start(ended.said), ended.said
        assert ended.status in (0, -9), ended.said
        count(tally, role, kill, ended.hit)
    done = lrfer(*asked)
    assert done.returncode == 0, done.stderr
    assert bits(results) == bits(alone)
    assert leftovers(results) == []


def storm(
    what: str, words: list[str], seconds: float, rng: random.Random, environment: dict[str, str],
    folder: Path, tally: Counter[str],
) -> None:  # fmt: skip
    """Kill a command again and again while it fills a folder; one that ends begins anew.

    seconds: how long it takes when nobody interrupts it
    """
    for _ in range(KILLS_A_CAMPAIGN):
        kill = Kill.drawn(rng, "main", (0.2 * seconds, seconds), CHANGES[what])
        ended = shoot(words, kill, environment, folder, folder.parent)
        assert ended.status in (0, -9) and "Traceback" not in ended.said, ended.said
        count(tally, what, kill, ended.hit)
        if ended.status == 0:
            shutil.rmtree(folder)


@pytest.mark.parametrize("number", campaigns("report"))
def test_reports(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    rng, out, wanted = drawing("report", number), tmp_path / "out", tmp_path / "wanted"
    asked = ["report", "--results", str(alone), "--pictures", "none", "--out", str(out)]
    seconds = timed(lrfer, asked)
    out.rename(wanted)
    storm("report", asked, seconds, rng, environment, out, tally)
    assert lrfer(*asked).returncode == 0
    assert content(out) == content(wanted)


@pytest.mark.parametrize("number", campaigns("merge"))
def test_merges(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    rng, mine = drawing("merge", number), tmp_path / "mine"
    wanted = {name: it for name, it in bits(alone).items() if not name.endswith(".safetensors")}
    asked = ["merge", "--results", str(mine), str(alone)]
    seconds = timed(lrfer, asked)
    shutil.rmtree(mine)
    storm("merge", asked, seconds, rng, environment, mine, tally)
    assert lrfer(*asked).returncode == 0
    assert lrfer(*RUN, "--results", mine).returncode == 0  # the next start sweeps
    assert bits(mine) == wanted and leftovers(mine) == []


@pytest.mark.parametrize("number", campaigns("prepare"))
def test_the_cache(
    number: int, alone: Path, lrfer: Any, environment: dict[str, str], tmp_path: Path,
    tally: Counter[str],
) -> None:  # fmt: skip
    rng, cache = drawing("cache", number), tmp_path / "cache"
    mine = {**environment, "LRFER_CACHE": str(cache)}
    asked = ["datasets", "prepare", *DATA[:2], "tinyfaces"]
    seconds = timed(lrfer, asked, LRFER_CACHE=str(cache))
    shutil.rmtree(cache)
    storm("cache", asked, seconds, rng, mine, cache, tally)
    again = lrfer(*RUN, "--results", tmp_path / "results", LRFER_CACHE=str(cache))
    assert again.returncode == 0, again.stderr
    assert bits(tmp_path / "results") == bits(alone) and leftovers(cache) == []
