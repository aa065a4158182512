"""A slip in what a class says of itself is a sentence with its line, before any training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import decorators
import pytest
import registries
from small_models import plan_of

from lrfer_bench.contract.method import Need
from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.build import build_plan
from lrfer_bench.planning.notes import notes_of
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.planning.request import Request
from lrfer_bench.plugins.loading import left_out, load_plugin, load_plugins
from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS, Entry

DATA = DataRef("faces", "f" * 64, "/somewhere", ("a", "b", "c"), 1, (48, 48), False)
HEAD = "from torch import nn\nfrom lrfer_bench.api import Method, register_method\n"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with registries.kept():
        yield


def plan(*methods: str, **settings: Any) -> Any:
    return build_plan(
        Request(methods=methods, scales=(2,), preset=preset_of("quick"), settings=settings), DATA
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("version = 2", "its version is 2: write a string"),
        ("trains = 'each scales'", "its trains is 'each scales': write one of 'each scale'"),
        ("tests = 'HR'", "its tests is 'HR'"),
        ("answers = 'faces'", "its answers is 'faces'"),
        ("with_hr = 'no'", "its with_hr is 'no'"),
        ("channels_last = 1", "its channels_last is 1: write True or False"),
        ("needs = ['classifier@hr']", "its needs is ['classifier@hr']"),
        ("needs = {'teacher': 3}", "its needs is {'teacher': 3}"),
        ("test_time_augmentation = True", "its test_time_augmentation is True"),
        ("card = {'summary': 'x'}", "its card is a dict: write a MethodCard"),
        ("def __init__(self, task, act=nn.ReLU): pass", 'the default of its setting "act"'),
        ("def __init__(self, task, *, width): pass", 'its setting "width" has no default: give'),
    ],
)
def test_a_slip_is_named_with_its_line(body: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "slips.py"
    file.write_text(f"{HEAD}\n\n@register_method('slips')\nclass Slips(Method):\n    {body}\n")
    load_plugin(file)
    with pytest.raises(UserError) as error:
        plan("slips")
    assert words in str(error.value) and f"{file}:5)" in str(error.value)


@pytest.mark.parametrize("option", ["math.inf", "2**64"])
def test_an_option_that_no_setting_takes_is_a_sentence_before_any_trial(
    option: str, tmp_path: Path
) -> None:
    file = tmp_path / "choosy.py"
    file.write_text(
        f"import math\nfrom lrfer_bench.api import Choice\n{HEAD}\n\n"
        "@register_method('choosy')\nclass Choosy(Method):\n"
        f"    search = {{'clip': Choice(1.0, {option})}}\n"
        "    def __init__(self, task, *, clip: float = 1.0):\n        super().__init__(task)\n"
    )
    load_plugin(file)
    with pytest.raises(UserError, match=r'space for "clip" cannot be drawn from: .*choosy\.py:7'):
        plan("choosy")


def test_a_hook_that_raises_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hooks.py"
    file.write_text(
        f"{HEAD}@register_method('hooks')\nclass Hooks(Method):\n    @classmethod\n"
        "    def needs_for(cls, settings, hr):\n        return settings['hm']\n"
    )
    load_plugin(file)
    with pytest.raises(
        UserError,
        match=r'needs_for\(\) of the method "hooks" failed: KeyError: .hm. \(.*hooks.py:7\)',
    ):
        plan("hooks")


def test_a_function_is_no_method(tmp_path: Path) -> None:
    file = tmp_path / "fun.py"
    file.write_text(f"{HEAD}@register_method('fun')\ndef fun(task):\n    pass\n")
    load_plugin(file)
    with pytest.raises(
        UserError,
        match=r"fun is not a class .* lrfer_bench.api.Method \(.*fun.py:3\)",
    ):
        plan("fun")


@pytest.mark.parametrize(
    ("decorator", "line"),
    [
        ("@register_method(None)", 3),
        ("@register_method", decorators.named(3)),
        ("@register_method('a/b c[d=1],e')", decorators.named(3)),
    ],
)
def test_a_name_that_is_none_leaves_the_plugin_out(
    decorator: str, line: int, tmp_path: Path
) -> None:
    file = tmp_path / "odd.py"
    file.write_text(f"{HEAD}{decorator}\nclass Odd(Method):\n    pass\n")
    load_plugin(file)
    said = left_out()[str(file)]
    assert "name" in said and f"odd.py:{line}" in said
    assert plan("direct").cells


def test_settings_that_reach_nothing_or_are_no_numbers_are_refused() -> None:
    with pytest.raises(UserError, match=r"gmenet\.kd_weight reaches nothing"):
        plan("direct", gmenet={"kd_weight": 1})
    with pytest.raises(UserError, match=r"takes a finite number"):
        plan("gmenet[kd_weight=nan]")


def test_an_edited_file_is_no_rival_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "edited.py"
    for body in ("version = '1'", "1 / 0", "version = '3'"):
        file.write_text(f"{HEAD}@register_method('edited')\nclass Edited(Method):\n    {body}\n")
        load_plugin(file)
        assert (str(file) in PLUGIN_ERRORS) == (body == "1 / 0")
    assert METHODS.load("edited").version == "3"


def test_a_vanished_file_in_the_variable_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LRFER_PLUGINS", str(tmp_path / "gone.py"))
    load_plugins()
    assert "does not exist: check LRFER_PLUGINS" in left_out()[str(tmp_path / "gone.py")]
    with pytest.raises(UserError, match="does not exist"):
        load_plugins([tmp_path / "gone.py"])


def test_a_stage_that_cannot_be_built_here_costs_no_other_method() -> None:
    """Its own training says why; so it was before notes had stages."""

    class Boom(METHODS.load("classifier")):  # type: ignore[misc]
        def __init__(self, task: Any) -> None:
            raise RuntimeError("no GPU here")

    class Above(METHODS.load("kd")):  # type: ignore[misc]
        needs_for = classmethod(lambda cls, settings, hr: {"classifier": Need("boom", "hr")})
        notes_for = classmethod(lambda cls, settings, task: ["met"])

    things = {"boom": Boom, "above": Above}
    entries = [Entry("method", n, f"made:{n}", "", loaded=cls) for n, cls in things.items()]
    with METHODS.scope(put=entries):
        plan = plan_of(["above", "direct", "enlarge"])
        assert notes_of(plan) == ()
        Boom.__init__ = METHODS.load("direct").__init__
        assert notes_of(plan) == ("above: met",)
