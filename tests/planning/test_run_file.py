"""run.toml: read as the command line, written so that the same keys come again."""

from __future__ import annotations

import dataclasses
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import registries
import torch
from made import data_ref

from lrfer_bench.api import register_method
from lrfer_bench.cli.run import run as run_command
from lrfer_bench.contract.labels import label_of
from lrfer_bench.contract.method import Method, Task
from lrfer_bench.contract.own_preset import chosen_preset
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.nets.classifiers import build_classifier
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.notes import notes_of
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.run_file import (
    KNOWN,
    keep_run_file,
    read_run_file,
    remember_contents,
    run_toml,
)
from lrfer_bench.planning.settings_file import SettingsFile
from lrfer_bench.plugins import contents
from lrfer_bench.running.models import untrained
from lrfer_bench.store.presets import keep_preset

REQUESTS: dict[str, dict[str, Any]] = {
    "plain": {"methods": ["direct", "oracle"]},
    "settings": {
        "methods": ["gmenet[kd_weight=0,centred=true]", "direct"],
        "settings": {"gmenet": {"kd_weight": 5, "attention": "none"}},
    },
    "conditions": {
        "methods": ["multires"], "scales": [2, 4], "protocols": ["bicubic", "area"],
        "test_protocols": ["camera"], "test_scales": [3, 4], "seeds": [0, 7],
    },
    "file": {
        "methods": ["gmenet"],
        "file": SettingsFile({"gmenet": {"kd_weight": 0.25}}, {"gmenet": 8}, "tuned.toml"),
    },
    "old preset": {"methods": ["direct"], "preset": preset_of("cpu@1")},
    "own preset": {"methods": ["direct"], "preset": chosen_preset("quick", {"epochs": 3})},
}  # fmt: skip


def asked_again(folder: Path, *words: str, file: str = "run.toml") -> Request:
    """The request that `run --config folder/run.toml` makes."""
    from lrfer_bench.cli.options import request_of

    arguments = ["--config", str(folder / file), *words]
    with run_command.make_context("run", arguments) as context:
        return request_of(context.params)


@pytest.mark.parametrize("name", list(REQUESTS))
def test_the_file_of_a_run_asks_for_the_same_keys(name: str, tmp_path: Path) -> None:
    request = Request(results=tmp_path, **REQUESTS[name])
    keep_preset(tmp_path, request.preset)
    keep_run_file(request)
    again = asked_again(tmp_path)
    first, second = build_plan(request, data_ref()), build_plan(again, data_ref())
    assert list(first.cells) == list(second.cells)
    assert list(first.trainings) == list(second.trainings)
    assert again.results.resolve() == tmp_path.resolve()
    assert again.file.trials == request.file.trials


class Lister(Method):
    """Settings of kinds that a command line has no plain word for."""

    def __init__(
        self,
        task: Task,
        *,
        widths: list[int] = [8, 8],  # noqa: B006
        depth: int | None = 1,
        free: Any = None,
        arch: str | None = "lean",
        rate: float = 1.0,
    ) -> None: ...


@pytest.mark.parametrize(
    "own",
    [{"widths": [4, 4]}, {"widths": (), "depth": None}, {"free": [["a, b", 'ä"'], None, 0.5]},
     {"widths": [4.0, 4], "free": {"a": [1, True]}}, {"arch": None},
     {"arch": " a "}, {"arch": '"a"'}],
)  # fmt: skip
@pytest.mark.parametrize("in_label", [False, True])
def test_lists_and_none_come_back(own: dict[str, Any], in_label: bool, tmp_path: Path) -> None:
    with registries.kept():
        register_method("lister")(Lister)
        given: dict[str, Any] = {"methods": ["lister"], "settings": {"lister": own}}
        if in_label:
            if own.get("arch"):
                pytest.skip("brackets take texts as they stand, without blanks at their ends")
            given = {"methods": [label_of("lister", own)]}
        request = Request(results=tmp_path, **given)
        keep_run_file(request)
        first, second = (build_plan(one, data_ref()) for one in (request, asked_again(tmp_path)))
        plain = build_plan(Request(["lister"]), data_ref())
    assert list(first.cells) == list(second.cells) != list(plain.cells)


def test_paths_that_are_not_unicode_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files need not have names in UTF-8; TOML has no other."""
    odd = tmp_path / os.fsdecode(b"m\xfcller")
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes names in Unicode only")
    content = "sha256:" + 64 * "a"
    monkeypatch.setattr(contents, "_READ_AS", {content: str(odd / "w 1.pth")})
    monkeypatch.setattr(contents, "_TOLD", {})
    request = Request(
        methods=["direct"], data_root=odd, plugins=(odd / "mine.py",), results=tmp_path
    )
    keep_run_file(request, [content])
    again = asked_again(tmp_path)
    assert (again.data_root, list(again.plugins)) == (odd, [odd / "mine.py"])
    assert {str(odd / "w 1.pth"): content} == contents._TOLD


def test_what_is_typed_wins(tmp_path: Path) -> None:
    keep_run_file(Request(methods=["direct"], scales=[2], results=tmp_path))
    again = asked_again(tmp_path, "--scales", "4", "--results", "elsewhere")
    assert list(again.methods) == ["direct"] and list(again.scales) == [4]
    assert again.results == Path("elsewhere")


def test_data_options_and_paths_come_back(tmp_path: Path) -> None:
    request = Request(
        methods=["direct"], dataset="folder", data_root=tmp_path / "faces", results=tmp_path,
        data_options={"size": 48, "colour": "grey", "order": "007", "mark": " "},
        plugins=[tmp_path / "mine.py"],
    )  # fmt: skip
    keep_run_file(request)
    again = asked_again(tmp_path)
    assert again.data_root == tmp_path / "faces" and again.data_options == request.data_options
    assert list(map(Path, again.plugins)) == [tmp_path / "mine.py"]


def test_numbers_of_numpy_come_back_with_all_their_digits(tmp_path: Path) -> None:
    own = {"rate": np.float32(0.1), "depth": np.int64(4)}
    with registries.kept():
        register_method("lister")(Lister)
        request = Request(["lister"], settings={"lister": own}, results=tmp_path)
        keep_run_file(request)
        first, second = (build_plan(one, data_ref()) for one in (request, asked_again(tmp_path)))
    assert list(first.cells) == list(second.cells)


def test_paths_of_a_file_written_by_hand_are_seen_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('base = "quick"\nepochs = 2\n')
    (tmp_path / "run.toml").write_text(
        'methods = "direct,oracle"\nscales = 2\npreset = "mine.toml"\ndata-root = "faces"\n'
    )
    again = asked_again(tmp_path)
    assert list(again.methods) == ["direct", "oracle"] and list(again.scales) == [2]
    assert again.preset.epochs == 2 and again.data_root == tmp_path / "faces"


def test_an_earlier_file_is_kept_under_a_number(tmp_path: Path) -> None:
    request = Request(methods=["direct"], results=tmp_path)
    keep_run_file(request)
    keep_run_file(request)
    assert [path.name for path in tmp_path.iterdir()] == ["run.toml"], "the same once"
    for scale in (2, 4):
        keep_run_file(dataclasses.replace(request, scales=[scale]))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["run-1.toml", "run-2.toml", "run.toml"]
    assert (tmp_path / "run-1.toml").read_text() == run_toml(request)


def test_runs_that_share_a_folder_lose_no_earlier_file(tmp_path: Path) -> None:
    """All come at once with one more method, and see the file of the day before."""
    before, after = (Request(methods=names, results=tmp_path) for names in (["direct"], ["kd"]))
    keep_run_file(before)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: keep_run_file(after), range(64)))
    assert (tmp_path / "run.toml").read_text() == run_toml(after)
    older = [path.read_text() for path in tmp_path.glob("run-*.toml")]
    assert run_toml(before) in older and set(older) <= {run_toml(before), run_toml(after)}


def test_an_earlier_file_goes_on_to_ask_for_its_own_settings(tmp_path: Path) -> None:
    asked = []
    for weight, scale in ((1.5, 2), (5.0, 4), (6.0, 4)):
        given = SettingsFile({"kd": {"kd_weight": weight}}, {"kd": 8}, "chosen.toml")
        asked.append(Request(methods=["kd"], scales=[scale], file=given, results=tmp_path))
        keep_run_file(asked[-1])
    before = sorted(path.name for path in tmp_path.iterdir())
    keep_run_file(asked_again(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == before, "the same once"
    for name, request in zip(("run-1.toml", "run-2.toml", "run.toml"), asked, strict=True):
        again = asked_again(tmp_path, file=name)
        assert again.file.settings == request.file.settings
        assert list(again.scales) == list(request.scales)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scale = 2\n", 'did you mean "scales"'),
        ("methods = []\n", "methods"),
        ("methods = [[1]]\n", "methods"),
        ("[methods]\na = 1\n", "methods"),
        ("epochs = true\n", "epochs"),
        ('dataset = ["a", "b"]\n', "one value"),
        ("methods = \n", "not TOML"),
        ('results = "a\\u0000b"\n', "no option takes a NUL"),
    ],
)
def test_mistakes_are_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(UserError, match=words):
        read_run_file(tmp_path / "run.toml")


def test_a_missing_file_and_bytes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_run_file(tmp_path / "no.toml")
    (tmp_path / "run.toml").write_bytes(b"\xff\x00")
    with pytest.raises(UserError, match="not TOML"):
        read_run_file(tmp_path / "run.toml")


def test_every_option_of_run_has_its_word() -> None:
    options = {param.opts[0].removeprefix("--") for param in run_command.params}
    of_the_day = {"config", "no-report", "plan", "join", "verbose"}
    assert options - of_the_day == set(KNOWN)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of weights in a folder of its own; what earlier tests read is forgotten."""
    monkeypatch.setenv("LRFER_CACHE", str(tmp_path / "cache"))
    for known in ("_SEEN", "_READ_AS", "_TOLD", "_HASHED"):
        monkeypatch.setattr(contents, known, {})
    net = build_classifier("lean", 7, 1, (48, 48), dropout=0.0)
    (tmp_path / "first").mkdir()
    torch.save(net.state_dict(), tmp_path / "first" / "mine.pth")
    return tmp_path / "first" / "mine.pth"


def run_from(
    file: str, results: Path, monkeypatch: pytest.MonkeyPatch, where: Path
) -> tuple[list[str], str]:
    """Keys of a run that was started in a folder with weights said from there; their content."""
    monkeypatch.chdir(where)
    request = Request([f"direct[arch=lean,weights={file}]"], scales=[2], results=results)
    plan = build_plan(request, data_ref())
    keep_run_file(request, plan.contents())
    for known in ("_SEEN", "_READ_AS", "_TOLD", "_HASHED"):  # as in another process
        monkeypatch.setattr(contents, known, {})
    return list(plan.cells), next(iter(plan.contents()))


def test_weights_that_have_moved_are_found_by_their_content(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by a relative path, and run again from another folder; the file itself is gone."""
    keys, _ = run_from("mine.pth", tmp_path, monkeypatch, weights.parent)
    weights.unlink()
    monkeypatch.chdir(tmp_path)
    plan = build_plan(asked_again(tmp_path), data_ref())
    assert list(plan.cells) == keys
    assert "weights mine.pth" in notes_of(plan)[0]
    untrained(next(iter(plan.trainings.values())), plan)


def test_weights_that_are_nowhere_are_named_with_content_and_last_path(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, content = run_from("mine.pth", tmp_path, monkeypatch, weights.parent)
    last = str(weights)
    shutil.rmtree(tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="cannot be read") as caught:
        build_plan(asked_again(tmp_path), data_ref())
    assert content in str(caught.value) and last in str(caught.value)
    with pytest.raises(UserError, match="no file here has the content") as caught:
        contents.found("direct.weights", content)
    assert last in str(caught.value)


def test_weights_that_were_changed_since_are_no_silent_other_run(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_from(str(weights), tmp_path, monkeypatch, tmp_path)
    state = {name: value + 1 for name, value in torch.load(weights).items()}
    torch.save(state, weights)
    with pytest.raises(UserError, match="when the run was made"):
        build_plan(asked_again(tmp_path), data_ref())


def test_another_file_of_the_same_name_is_no_silent_other_run(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by a relative path, and run again from a folder that has a file of that name."""
    keys, content = run_from("mine.pth", tmp_path, monkeypatch, weights.parent)
    (tmp_path / "second").mkdir()
    state = {name: value + 1 for name, value in torch.load(weights).items()}
    torch.save(state, tmp_path / "second" / "mine.pth")
    monkeypatch.chdir(tmp_path / "second")
    with pytest.raises(UserError, match="when the run was made") as caught:
        build_plan(asked_again(tmp_path), data_ref())
    assert str(tmp_path / "second") in str(caught.value) and content[:19] in str(caught.value)
    (tmp_path / "second" / "own").mkdir()
    torch.save(state, tmp_path / "second" / "own" / "mine.pth")
    other = "direct[arch=lean,weights=own/mine.pth]"
    own = build_plan(asked_again(tmp_path, "--methods", other), data_ref())
    assert list(own.cells) != keys, "another file that is given by name and folder is meant"
    shutil.copy(weights, tmp_path / "second")
    assert list(build_plan(asked_again(tmp_path), data_ref()).cells) == keys


def test_a_line_of_contents_that_is_none_is_refused_and_a_pipe_is_left(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('contents = ["mine.pth"]\n')
    with pytest.raises(UserError, match="sha256:DIGITS PATH"):
        read_run_file(tmp_path / "run.toml")
    os.mkfifo(tmp_path / "run-1.toml")
    remember_contents(tmp_path)
