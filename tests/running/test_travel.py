"""What goes to another machine, and wrong words about a cluster; no Ray is started."""

from __future__ import annotations

import builtins
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import registries
from folders import TINY

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.running.engines import engine_of
from lrfer_bench.running.engines.base import Failed, Progressed
from lrfer_bench.running.engines.fileserver import FileServer
from lrfer_bench.running.engines.slot import Saved, Slot, new_scratch, with_checkpoints
from lrfer_bench.running.engines.travel import _fetch, all_facts, differences, pack, unpack
from lrfer_bench.training.loop import Progress


def test_plugin_files_travel_by_content_and_the_machine_s_own_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.py"
    other.write_text("")
    with registries.pristine():
        monkeypatch.setenv("LRFER_PLUGINS", str(TINY))
        kit = pack([other], 60.0)
        assert {Path(path).name for path, _ in kit.plugins} == {"tiny.py", "other.py"}
    with registries.pristine():
        monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("LRFER_PLUGINS", str(tmp_path / "nowhere.py"))
        places = unpack(kit)
        assert set(places.values()) == {str(TINY.resolve()), str(other.resolve())}
        assert all(Path(place).is_file() for place in places)
        assert differences(kit.facts, all_facts()) == ""
        assert "LRFER_PLUGINS" not in os.environ


def test_a_plugin_file_travels_as_it_was_loaded(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("NUMBER = 1\n")
    with registries.pristine():
        load_plugins([file])
        file.write_text("NUMBER = 2\n")
        assert pack([file], 60.0).plugins == [(str(file), b"NUMBER = 1\n")]


def test_a_full_disk_on_a_node_fails_no_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=full))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    slot = Slot(pack([], 60.0))
    events = list(slot.run(SimpleNamespace(key="k", label="direct x2"), {}, b"saved", None))
    assert [(e.key, e.machine, "No space" in e.sentence) for e in events] == [("k", True, True)]
    assert not list(tmp_path.glob("lrfer-bench-*/*")), "nothing of a job stays on a node"


def test_a_worker_without_a_gpu_does_not_see_those_of_its_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    Slot(kit := pack([], 60.0))
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    Slot(replace(kit, gpu=False))
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""


def test_what_a_killed_worker_left_on_a_node_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = new_scratch()
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    left = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{killed.pid}-"))
    left.mkdir()
    (left / "k.ckpt").write_bytes(b"x")
    assert new_scratch().parent == mine.parent and mine.is_dir() and not left.exists()


def test_differences_name_what_is_other_there() -> None:
    assert differences({"torch": "2", "code": "a"}, {"torch": "2", "code": "a"}) == ""
    words = differences({"torch": "2", "code": "a"}, {"torch": "1", "plugin x.py": "broken"})
    assert words == (
        "code is missing there, a here; plugin x.py is broken there, missing here; "
        "torch is 1 there, 2 here"
    )
    words = differences({"arithmetic": "a", "torch": "2"}, {"arithmetic": "b", "torch": "2"})
    assert words.endswith("ONEDNN_MAX_CPU_ISA=AVX2 on every machine can make processors alike")


def test_a_checkpoint_comes_home_when_it_is_new_and_not_too_often(tmp_path: Path) -> None:
    sent: list[Any] = []
    path = tmp_path / "c.ckpt"
    progress = Progressed("k", Progress(1, 2, 1, 2, {}, 1.0))
    often, rarely = (with_checkpoints(sent.append, "k", path, every) for every in (0.0, 60.0))
    often(progress)
    path.write_bytes(b"one")
    often(progress)
    often(progress)
    os.utime(path, (1, 1))
    often(progress)
    rarely(progress)
    often(Failed("k", "no"))
    assert [event.data for event in sent if isinstance(event, Saved)] == [b"one", b"one"]
    assert len(sent) == 8


def test_a_checkpoint_that_was_set_aside_is_told_before_another_comes_home(tmp_path: Path) -> None:
    sent: list[Any] = []
    path = tmp_path / "c.ckpt"
    path.write_bytes(b"of another arithmetic")
    told = with_checkpoints(sent.append, "k", path, 0.0)
    path.rename(tmp_path / "c.ckpt.unusable")
    for data in (None, b"new"):
        if data:
            path.write_bytes(data)
        told(Progressed("k", Progress(1, 2, 1, 2, {}, 1.0)))
    kinds = [type(event).__name__ for event in sent]
    assert kinds == ["Progressed", "Unused", "Progressed", "Saved"]


def test_a_data_set_is_served_in_pieces_and_no_other_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfer_bench.running.engines.fileserver.PIECE", 4)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.npy").write_bytes(b"0123456789")
    (tmp_path / "secret").write_bytes(b"secret")
    server = FileServer(str(folder))
    assert server.listing() == {"a.npy": 10}
    assert [server.read("a.npy", start) for start in (0, 4, 8)] == [b"0123", b"4567", b"89"]
    with pytest.raises(FileNotFoundError):
        server.read("../secret", 0)


def test_a_data_set_is_fetched_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than a piece is in memory, and the folder is there at once or not at all."""
    for module in ("fileserver", "travel"):
        monkeypatch.setattr(f"lrfer_bench.running.engines.{module}.PIECE", 4)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get=lambda answer: answer))
    (theirs := tmp_path / "theirs").mkdir()
    content = {"a.npy": b"0123456789", "b.json": b"", "c.npy": b"abcd"}
    for name, data in content.items():
        (theirs / name).write_bytes(data)
    served, asked = FileServer(str(theirs)), []

    def read(name: str, start: int) -> bytes:
        asked.append((name, start))
        return served.read(name, start)

    server = SimpleNamespace(
        listing=SimpleNamespace(remote=served.listing), read=SimpleNamespace(remote=read)
    )
    ours = tmp_path / "cache" / "faces"
    ours.parent.mkdir()
    _fetch(ours, server)
    assert {path.name: path.read_bytes() for path in ours.iterdir()} == content
    assert sorted(asked) == [("a.npy", 0), ("a.npy", 4), ("a.npy", 8), ("c.npy", 0)]
    assert [path.name for path in ours.parent.iterdir()] == ["faces"]


@pytest.mark.parametrize("words", [{"address": "auto"}, {"cpus": 1.0}, {"gpus": 0.0}])
def test_words_about_a_cluster_need_one(words: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--engine ray"):
        engine_of("local", 1, [], tmp_path, **words)


def test_without_ray_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "ray" or name.startswith(("ray.", "lrfer_bench.running.engines.ray")):
            raise ImportError("No module named 'ray'")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r"pip install .*lrfer-bench\[ray\]"):
        engine_of("ray", None, [], tmp_path)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"cpus": 0.0}, "not possible"),
        ({"cpus": float("nan")}, "not possible"),
        ({"gpus": -1.0}, "not possible"),
        ({"address": "ray://10.0.0.1:10001"}, "Ray Client"),
        ({"address": "127.0.0.1:nothing"}, "no Ray cluster answers"),
        ({"address": "127.0.0.1:PORT"}, "no Ray cluster answers"),
    ],
)
def test_wrong_words_about_a_cluster_are_a_sentence_within_seconds(
    words: dict[str, Any], match: str, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        if "PORT" in str(words.get("address", "")):
            words = {"address": f"127.0.0.1:{free.getsockname()[1]}"}
    started = time.monotonic()
    with pytest.raises(UserError, match=match), engine_of("ray", None, [], tmp_path, **words):
        pass
    assert time.monotonic() - started < 60
