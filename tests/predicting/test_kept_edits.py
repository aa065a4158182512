"""Edits of one class in a results folder, and what else of a script a record rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_records
import numpy as np
import pytest
import registries
from scripts import MINE

from lrfer_bench.errors import UserError
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.existing import keep_models, model_plugin
from lrfer_bench.plugins.kept import keep
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.plugins.registry import METHODS, PROTOCOLS
from lrfer_bench.predicting.origin import ANY_IMAGE, _bring_plugin, plan_again
from lrfer_bench.predicting.wanted import _loaded_source
from lrfer_bench.running.session import open_session
from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

CORNER = """
from lrfer_bench.api import Protocol, register_protocol

@register_protocol("corner")
class Corner(Protocol):
    name = "corner"
"""
NET = """
from torch import nn

class Net(nn.Linear):
    number = {}
"""


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LRFER_PLUGINS", "")
    with registries.pristine():
        yield


def source(text: str, name: str) -> str:
    return f"{name}.py sha256:{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def kept(folder: Path, text: str, name: str) -> str:
    keep(text.encode(), name, folder)
    return source(text, name)


def record(folder: Path, **facts: Any) -> Record:
    labels = np.arange(20) % 7
    return made_records.save(folder, labels > 2, labels, **facts)


def number(found: Record, folder: Path) -> int:
    _bring_plugin(found, Store(folder), trust=False)
    return int(METHODS.load(found.method.name).number)


def test_each_record_brings_its_own_edit_and_none_becomes_the_users(tmp_path: Path) -> None:
    first, second = (
        record(tmp_path, method="mine", seed=n, source=kept(tmp_path, MINE.format(n), "mine"))
        for n in (1, 2)
    )
    assert [number(one, tmp_path) for one in (first, second, first)] == [1, 2, 1]
    assert _loaded_source("mine") == "", "the newest is still what a bare name means"
    own = tmp_path / "mine.py"
    own.write_text(MINE.format(3))
    load_plugins([own])
    assert number(second, tmp_path) == 3, "the plan says that it is another"
    assert _loaded_source("mine") == source(MINE.format(3), "mine")


def test_a_model_that_was_brought_by_its_key_is_not_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    records = []
    for n in (1, 2):
        Path("net.py").write_text(NET.format(n))
        name, file = model_plugin("net.py:Net")
        keep_models([file], tmp_path)
        where = METHODS.entry(name).source
        records.append(record(tmp_path, method=name, seed=n, source=where, existing=True))
    assert _loaded_source("net") == records[1].method.source, "it was evaluated here"
    _bring_plugin(records[0], Store(tmp_path), trust=False)
    assert METHODS.entry("net").source == records[0].method.source
    assert _loaded_source("net") == ""


def test_protocols_of_a_script_are_found_again_or_named(tmp_path: Path) -> None:
    mine = kept(tmp_path, MINE.format(1), "mine")
    files = {"protocol corner": source(CORNER, "corner")}
    found = record(tmp_path, method="mine", source=mine, files=files)
    with pytest.raises(UserError, match=r'the protocol "corner" of .* give its file with --plugin'):
        number(found, tmp_path)
    kept(tmp_path, CORNER, "corner")
    assert number(found, tmp_path) == 1 and "corner" in PROTOCOLS.names()


def test_a_protocol_that_was_edited_since_is_named(tmp_path: Path) -> None:
    found = record(
        tmp_path, method="direct", source=METHODS.entry("direct").source, preset="quick@1",
        files={"protocol corner": source(CORNER, "corner")},
    )  # fmt: skip
    own = tmp_path / "corner.py"
    own.write_text(CORNER + "# edited\n")
    load_plugins([own])
    with pytest.raises(UserError) as caught:
        plan_again(found, Store(tmp_path), ANY_IMAGE)
    assert f"protocol corner of {source(CORNER, 'corner')}; here: corner.py" in str(caught.value)


def test_a_run_says_what_it_has_from_a_results_folder(tmp_path: Path) -> None:
    mine = kept(tmp_path, MINE.format(1), "mine")
    number(record(tmp_path, method="mine", source=mine), tmp_path)
    asked = Request(["mine"], "synthface", scales=[2], results=tmp_path / "new")
    note = f"{mine} is used as an earlier call took it out of a results folder"
    assert any(line.startswith(note) for line in open_session(asked).plan.notes)
