"""Claims: one owner at a time, kept fresh while it lives, taken over when it is silent."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest

from lrfer_bench.errors import MachineError
from lrfer_bench.store.claims import Claims


def aged(claims: Claims, name: str, seconds: float) -> None:
    """Make a claim look as if nobody had touched it for so long."""
    then = claims.now() - seconds
    os.utime(claims.folder / name, (then, then))


def test_one_owner_at_a_time_and_only_the_owner_gives_back(tmp_path: Path) -> None:
    mine, other = Claims(tmp_path), Claims(tmp_path)
    assert mine.take("k") and not other.take("k") and other.is_taken("k")
    other.give_back("k")
    assert other.is_taken("k")
    mine.give_back("k")
    assert not other.is_taken("k") and other.take("k")
    mine.close()
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_a_silent_claim_is_taken_over_and_its_old_owner_leaves_it_alone(tmp_path: Path) -> None:
    silent, heir = Claims(tmp_path, stale=100), Claims(tmp_path, stale=100)
    assert silent.take("k")
    aged(silent, "k", 90)
    assert not heir.take("k")
    aged(silent, "k", 110)
    assert not heir.is_taken("k") and heir.take("k")
    written = (tmp_path / "k").read_text()
    aged(heir, "k", 50)
    silent.keep()  # it wakes up, and neither refreshes nor removes what is no more its own
    silent.close()
    assert (tmp_path / "k").read_text() == written == heir.owner
    assert not any(path.name.startswith(".taking") for path in tmp_path.iterdir())


def test_a_living_claim_is_kept_fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = Claims(tmp_path, stale=100), Claims(tmp_path, stale=100)
    mine.take("k")
    aged(mine, "k", 110)
    assert not mine.keep() and not other.is_taken("k")  # it is not yet time
    monkeypatch.setattr(mine, "_kept", mine._kept - 21)
    assert mine.keep() and other.is_taken("k")


def race(heirs: list[Claims], name: str) -> list[Claims]:
    """Those who got the claim, when all ask at once."""
    barrier, won = threading.Barrier(len(heirs)), []

    def ask(heir: Claims) -> None:
        barrier.wait()
        if heir.take(name):
            won.append(heir)

    threads = [threading.Thread(target=ask, args=(heir,)) for heir in heirs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def test_of_many_that_see_a_stale_claim_one_takes_it(tmp_path: Path) -> None:
    for number in range(20):
        name = f"k{number}"
        gone = Claims(tmp_path, stale=100)
        assert gone.take(name)
        aged(gone, name, 200)
        won = race([Claims(tmp_path, stale=100) for _ in range(8)], name)
        # All may have met the guard of another: then the next look takes it.
        assert len(won) <= 1
        (owner,) = won or [heir for heir in [Claims(tmp_path, stale=100)] if heir.take(name)]
        assert (tmp_path / name).read_text() == owner.owner


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_claim_that_a_full_disk_cuts_off_blocks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = Claims(tmp_path), Claims(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("lrfer_bench.store.claims.os.fdopen", full_disk)
        with pytest.raises(MachineError, match="No space"):
            mine.take("k")
    assert not other.is_taken("k") and other.take("k")
    mine.close()
    other.close()


def full_disk(handle: int, mode: str) -> io.TextIOWrapper:
    """A file whose every write fails, as on a full disk."""
    os.close(handle)
    return open("/dev/full", mode)
