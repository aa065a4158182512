"""Joining a Ray cluster that is not there, is no cluster, or is another one; no Ray is started."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lrfer_bench.errors import UserError

ray = pytest.importorskip("ray")
from lrfer_bench.running.engines import cluster  # noqa: E402


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("ray://10.0.0.1:10001", "RAY_ADDRESS .*Ray Client"),
        ("127.0.0.1:1", "answers at 127.*RAY_ADDRESS"),
    ],
)
def test_auto_is_what_the_environment_names(
    address: str, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UserError, match=match):
        cluster.join("auto", None)


@contextmanager
def listening() -> Iterator[str]:
    """The address of a port where something listens and says nothing."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


def test_a_port_of_another_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("it would wait ten minutes"))
    with listening() as address, pytest.raises(UserError, match="not as a Ray head does"):
        cluster.join(address, None)


def test_what_a_head_answers_where_it_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = """
print("asking")
print(["a token is needed"])
"""
    monkeypatch.setattr(cluster, "ASK", ask)
    with listening() as address, pytest.raises(UserError, match="a token is needed"):
        cluster.join(address, None)


def test_another_version_of_ray_is_told_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray._private.utils import check_version_info

    def other(**_: Any) -> None:
        check_version_info({"ray_version": "2.49.2", "python_version": "3.9.1"}, "10.0.0.1")

    monkeypatch.setattr(cluster, "_ask", lambda address: None)
    monkeypatch.setattr(ray, "init", other)
    said = rf"10\.0\.0\.1:6379 runs Ray 2\.49\.2 under Python 3\.9\.1, .* Ray {ray.__version__}"
    with pytest.raises(UserError, match=said):
        cluster.join("10.0.0.1:6379", None)
