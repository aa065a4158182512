"""One run at a time in a results folder; leftovers go with their owners."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import filelock
import psutil
import pytest

from lrfer_bench import files
from lrfer_bench.errors import UserError
from lrfer_bench.files import own_prefix, replacing, sweep
from lrfer_bench.running.sole import LOCK, OWNER, check_no_sole_run, sole_run, sweep_store
from lrfer_bench.store.store import Store

HOLD = """
import sys, time
from pathlib import Path
from lrfer_bench.running.sole import sole_run
from lrfer_bench.store.store import Store
with sole_run(Store(Path("."))):
    Path("held").touch()
    time.sleep(600)
"""


def test_a_second_run_is_told_who_is_there(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD], cwd=tmp_path)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "held").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        said = f"process {holder.pid} on .*--results"
        with pytest.raises(UserError, match=said), sole_run(Store(tmp_path)):
            pass
        (tmp_path / OWNER).write_text("[")
        with pytest.raises(UserError, match="not known"), sole_run(Store(tmp_path)):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with sole_run(Store(tmp_path)):  # however the first one ended
        assert str(os.getpid()) in (tmp_path / OWNER).read_text()
    assert not (tmp_path / OWNER).exists()


def test_who_only_looks_is_waited_for_and_a_run_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred equal commands that start at once each looks at the lock for a moment."""
    store, other = Store(tmp_path), filelock.FileLock(tmp_path / LOCK)
    looks: list[float] = []

    def later(seconds: float) -> None:
        looks.append(seconds)
        assert not (tmp_path / OWNER).exists(), "who looks says nothing"
        if len(looks) == 30:  # more than a run without jitter and patience would try
            other.release()

    monkeypatch.setattr("lrfer_bench.running.sole.time.sleep", later)
    other.acquire()
    check_no_sole_run(store)
    assert len(looks) == 30 and len(set(looks)) > 1
    with sole_run(store), pytest.raises(UserError, match="another run works"):
        check_no_sole_run(store)
    assert len(looks) == 30, "a living run is no looker"
    monkeypatch.setattr("lrfer_bench.running.sole.LOOK_SECONDS", -1.0)
    with filelock.FileLock(tmp_path / LOCK), pytest.raises(UserError, match="not known"):
        check_no_sole_run(store)


@pytest.mark.parametrize("shared", [True, False])
def test_what_cannot_join_is_not_told_to(
    shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfer_bench.running.sole.is_shared", lambda store: shared)
    with filelock.FileLock(tmp_path / LOCK):
        with pytest.raises(UserError, match="--join") as run, sole_run(Store(tmp_path)):
            pass
        with pytest.raises(UserError) as tune, sole_run(Store(tmp_path), may_join=False):
            pass
    assert "wait until" in str(tune.value) and "--results" in str(tune.value)
    assert ("this one with --join" in str(run.value)) == shared
    assert str(tune.value).count("--join") == shared, "those that are there have it"


def test_where_no_lock_can_be_made_a_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()
    with sole_run(Store(tmp_path)):
        assert not (tmp_path / OWNER).exists(), "nobody holds the folder"


@pytest.mark.skipif(sys.platform == "win32", reason="flock is of other systems")
def test_where_a_file_system_knows_no_locks_a_folder_is_not_refused_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def none(handle: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    (tmp_path / LOCK).touch()  # copied with the folder, as a run that ended well leaves it
    monkeypatch.setattr(fcntl, "flock", none)
    with sole_run(Store(tmp_path)):
        assert not (tmp_path / OWNER).exists()
    check_no_sole_run(Store(tmp_path))


def test_the_lock_is_one_for_all_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sole_run(Store(tmp_path)):
        assert (tmp_path / LOCK).stat().st_mode & 0o066 == 0o066

        def forbidden(self: object, **_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        # an older lock, or one on a system with other rights
        monkeypatch.setattr(filelock.FileLock, "acquire", forbidden)
        with pytest.raises(UserError, match=f"process {os.getpid()} on"), sole_run(Store(tmp_path)):
            pass
        with pytest.raises(UserError, match=f"process {os.getpid()} on"):
            check_no_sole_run(Store(tmp_path))
        monkeypatch.undo()


def dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_leftovers_of_dead_processes_are_swept_and_others_stay(tmp_path: Path) -> None:
    prefix = own_prefix().rpartition("-")[0].rpartition("-")[0]
    gone = [tmp_path / f"{prefix}-{dead()}-abc", tmp_path / f"{prefix}-{dead()}-folder"]
    stay = [tmp_path / f"{own_prefix()}abc", tmp_path / f"{prefix}-{os.getppid()}-x",
            tmp_path / ".tmp-01234567-1-other-machine", tmp_path / ".tmp-mine",
            tmp_path / "mine.json"]  # fmt: skip
    for path in (gone[0], *stay):
        path.write_text("")
    (gone[1] / "inside").mkdir(parents=True)
    old = tmp_path / ".tmp-01234567-2-other-machine"
    for path in (old, tmp_path / ".tmp-mine"):
        path.write_text("")
        os.utime(path, (0, 0))
    sweep(tmp_path)
    assert not any(map(os.path.lexists, [*gone, old])) and all(path.exists() for path in stay)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells it")
@pytest.mark.parametrize("what", ["BOOT_ID", "PROCESS_NAMESPACE"])
def test_a_machine_of_the_same_name_is_another_one(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its processes are not found here, and live all the same."""
    other = tmp_path / "other"
    other.symlink_to("pid:[1]")  # a text to read, or a link to look at
    if what == "BOOT_ID":
        other.unlink()
        other.write_text("another start of another machine")
    with monkeypatch.context() as patch:
        patch.setattr(files, what, other, raising=False)
        files.this_machine.cache_clear()
        prefix = own_prefix()
    files.this_machine.cache_clear()
    assert prefix != own_prefix()
    left = tmp_path / f"{prefix.removesuffix(f'{os.getpid()}-')}{dead()}-abc"
    left.write_text("")
    sweep(tmp_path)
    assert left.exists()


def test_a_number_that_another_process_got_later_keeps_nothing(tmp_path: Path) -> None:
    left = tmp_path / f"{own_prefix()}abc"
    left.write_text("")
    before = psutil.Process().create_time() - 60
    os.utime(left, (before, before))
    sweep(tmp_path)
    assert not left.exists()


def test_what_is_being_written_bears_its_owner(tmp_path: Path) -> None:
    with replacing(tmp_path / "a"):
        (left,) = tmp_path.iterdir()
        sweep(tmp_path)
        assert left.exists() and left.name.startswith(own_prefix())
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("again", [False, True])
def test_checkpoints_of_finished_trainings_are_swept(again: bool, tmp_path: Path) -> None:
    store = Store(tmp_path)
    for folder in (store.models, store.checkpoints):
        folder.mkdir(parents=True)
    done, open_ = "a" * 64, "b" * 64
    for key in (done, open_):
        (store.checkpoints / f"{key}.ckpt").write_text("")
    for ending in ("safetensors", "json"):
        (store.models / f"{done}.{ending}").write_text("")
    sweep_store(store, checkpoints=not again)
    assert (store.checkpoints / f"{done}.ckpt").exists() == again
    assert (store.checkpoints / f"{open_}.ckpt").exists()
