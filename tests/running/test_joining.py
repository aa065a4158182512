"""Runs that share a folder agree on what they compute with; work of others is seen and counted."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import MachineError, UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.plan import DataRef, Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.running import joining
from lrfer_bench.running.frontier import Frontier
from lrfer_bench.running.joining import Campaign, joined
from lrfer_bench.running.models import Model, TrainingCost, has_model, save_model
from lrfer_bench.running.records import failed_record
from lrfer_bench.running.shared import Shared
from lrfer_bench.running.status import Status, summary
from lrfer_bench.store.claims import Claims
from lrfer_bench.store.store import Store

DATA = DataRef("faces", "f" * 64, "/nowhere", ("a", "b", "c"), 1, (48, 48), False)


def plan_of(*scales: int) -> Plan:
    return build_plan(Request(["direct"], scales=scales, preset=preset_of("quick")), DATA)


def shared(campaign: Campaign, plan: Plan, store: Store) -> tuple[Shared, Frontier, Status]:
    frontier, status = Frontier(plan), Status(len(plan.cells), len(plan.trainings))
    return Shared(campaign, frontier, store, status), frontier, status


def other_facts(monkeypatch: pytest.MonkeyPatch, **facts: str) -> None:
    real = joining.computing()
    monkeypatch.setattr(joining, "computing", lambda device=None: {**real, **facts})


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"arithmetic": "feedfeedfeed"}, "arithmetic"),
        ({"code": "0123456789ab"}, "code"),
        ({"torch": "1.0"}, "torch"),
        ({"gpu": "H100"}, "gpu"),
    ],
)
def test_who_comes_later_must_compute_like_the_first(
    facts: dict[str, str], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    with Campaign(store) as first, Campaign(store) as second:
        assert second.began == first.began
        with monkeypatch.context() as patch:
            other_facts(patch, **facts)
            with pytest.raises(UserError, match=f"--join: .*{word}.* compute alike"):
                Campaign(store)
    assert list(first.claims.folder.iterdir()) == []
    other_facts(monkeypatch, **facts)
    with Campaign(store):  # nobody is there any more: it is the first now
        pass


def test_an_agreement_of_runs_that_were_killed_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    killed = Campaign(store)
    killed.claims.take("k")
    for path in killed.claims.folder.iterdir():
        os.utime(path, (1, 1))
    other_facts(monkeypatch, code="0123456789ab")
    with Campaign(store) as heir:
        assert heir.began > killed.began - 1
        killed.claims._kept -= 1e6
        with pytest.raises(UserError, match="--join: the code of lrfer-bench is"):
            killed.keep()  # it wakes up: others have agreed on something else
        assert "0123456789ab" in (killed.claims.folder / "run.json").read_text()
    killed.claims.close()
    assert list(killed.claims.folder.iterdir()) == []


def test_a_run_that_slept_joins_those_that_compute_alike(tmp_path: Path) -> None:
    store = Store(tmp_path)
    slept = Campaign(store)
    for path in slept.claims.folder.iterdir():
        os.utime(path, (1, 1))
    with Campaign(store) as heir:
        slept.claims._kept -= 1e6
        slept.keep()
        assert slept._agreed == heir._agreed
        slept.__exit__()
        assert joining.is_shared(store), "the heir is still there"
    assert not joining.is_shared(store)


def test_an_agreement_that_leaves_while_one_enters_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, taken = Store(tmp_path), []
    last = Campaign(store)
    take = Claims.take

    def late(claims: Claims, name: str) -> bool:
        if name.startswith(".member-") and not taken:
            last.__exit__()  # the last of the others, between agreement and membership
        taken.append(name)
        return take(claims, name)

    monkeypatch.setattr(Claims, "take", late)
    with Campaign(store) as ours:
        assert joining.is_shared(store) and ours._agreed["id"] != last._agreed["id"]
        members = [path.name for path in ours.claims.folder.glob(".member-*")]
        assert members == [taken[1]] and ours._agreed["id"] in members[0]
    assert list(ours.claims.folder.iterdir()) == []


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    with Campaign(store) as ours:

        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "open", full)
        with pytest.raises(MachineError, match=r"cannot write .*key: No space left.*--results"):
            ours.claims.take("key")
        monkeypatch.undo()


@pytest.mark.parametrize("word", ["soon", "0", "-3", "nan"])
def test_a_wrong_number_of_seconds_is_a_sentence(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(joining.STALE_VARIABLE, word)
    with pytest.raises(UserError, match="not a number of seconds"):
        Campaign(Store(tmp_path))


def test_what_others_made_is_counted_and_what_they_give_up_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfer_bench.running.shared.LOOK_SECONDS", 0.0)
    store, plan = Store(tmp_path), plan_of(2, 4)
    (a, b), cells = plan.trainings.values(), list(plan.cells.values())
    with Campaign(store) as ours, Campaign(store) as theirs:
        here, frontier, status = shared(ours, plan, store)
        theirs.claims.take(a.key)
        node = frontier.next()
        assert node is not None and node.key == a.key and not here.take(node)
        assert "other runs are at 1 job" in summary(status)
        here.look()
        node = frontier.next()
        assert node is not None and node.key == b.key and here.take(node)
        assert not theirs.claims.take(b.key)
        # They finish theirs: its cell can be tested, and nobody trains it again.
        save_model(store, Model(a, b"w", TrainingCost(1.0, "last", 1, 1, [], 1.0)))
        theirs.claims.give_back(a.key)
        here.look()
        assert status.elsewhere == 0 and status.trained == 1
        node = frontier.next()
        assert node is not None and node.key == cells[0].key and here.take(node)
        # Ours fails, and so they need not try.
        store.save(failed_record(cells[1], "no"))
        there, frontier, status = shared(theirs, plan, store)
        assert not there.take(b) and status.failed == 1 and status.trainings == 1
        assert len(frontier) == 2


def test_after_a_claim_the_folders_are_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS may say from memory that there is no model; a change of our own makes it ask again."""
    store, plan = Store(tmp_path), plan_of(4)
    (training,) = plan.trainings.values()
    store.models.mkdir()
    os.utime(store.models, (1, 1))
    remembered: dict[float, bool] = {}

    def from_memory(store: Store, key: str) -> bool:
        return remembered.setdefault(store.models.stat().st_mtime, has_model(store, key))

    monkeypatch.setattr("lrfer_bench.running.shared.has_model", from_memory)
    with Campaign(store) as campaign:
        here, frontier, status = shared(campaign, plan, store)
        assert not from_memory(store, training.key)
        save_model(store, Model(training, b"w", TrainingCost(1.0, "last", 1, 1, [], 1.0)))
        os.utime(store.models, (1, 1))  # so the change is not seen here
        node = frontier.next()
        assert node is not None and not here.take(node) and status.trained == 1
        assert not campaign.claims.is_taken(training.key)
    assert len(list(store.models.iterdir())) == 2


def test_a_failure_from_before_the_first_run_came_is_tried_again(tmp_path: Path) -> None:
    store, plan = Store(tmp_path), plan_of(4)
    (cell,) = plan.cells.values()
    path = store.save(failed_record(cell, "no"))
    os.utime(path, (1, 1))
    with Campaign(store) as campaign:
        here, frontier, _ = shared(campaign, plan, store)
        node: Any = frontier.next()
        assert here.take(node)


def test_sigterm_ends_a_joined_run_as_ctrl_c_does(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), joined(Store(tmp_path)) as campaign:
        campaign.claims.take("k")
        os.kill(os.getpid(), signal.SIGTERM)
    assert list((tmp_path / "claims").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is before
