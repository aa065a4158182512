"""run --config FILE: what is typed beside it wins, or is added where an option may be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lrfer_bench.cli.plan import plan
from lrfer_bench.cli.run import run
from lrfer_bench.errors import UserError
from lrfer_bench.planning.settings import parse_settings

TEXT = """
methods = ["gmenet"]
set = ["classifier.arch=lean", "gmenet.heads=2"]
data-option = ["size=48", "grey_level=1"]
plugin = ["a.py", "b.py"]
"""


def parsed(command: Any, folder: Path, *words: str) -> dict[str, Any]:
    (folder / "run.toml").write_text(TEXT)
    arguments = ["--config", str(folder / "run.toml"), *words]
    with command.make_context(command.name, arguments) as context:
        return dict(context.params)


@pytest.mark.parametrize("command", [run, plan])
def test_repeated_options_add_to_those_of_the_file(command: Any, tmp_path: Path) -> None:
    plain = parsed(command, tmp_path)
    assert plain["settings"] == ("classifier.arch=lean", "gmenet.heads=2")
    words = ["--set", "gmenet.centred=true", "--plugin", "c.py", "--data-option", "colour=grey"]
    found = parsed(command, tmp_path, *words)
    assert found["settings"] == (*plain["settings"], "gmenet.centred=true")
    assert found["data_option"] == (*plain["data_option"], "colour=grey")
    assert found["plugins"] == (*plain["plugins"], Path("c.py"))
    assert plain["plugins"] == (tmp_path / "a.py", tmp_path / "b.py")


def test_of_one_name_what_is_typed_wins(tmp_path: Path) -> None:
    words = ["--set", "gmenet.heads=4", "--plugin", "moved/a.py", "--data-option", "grey-level = 0"]
    found = parsed(run, tmp_path, *words)
    assert found["settings"] == ("classifier.arch=lean", "gmenet.heads=4")
    assert found["data_option"] == ("size=48", "grey-level = 0")
    assert found["plugins"] == (tmp_path / "b.py", Path("moved/a.py"))


def test_without_a_file_what_is_typed_is_all() -> None:
    with run.make_context("run", ["--set", "a.b=1", "--set", "a.c=2"]) as context:
        assert context.params["settings"] == ("a.b=1", "a.c=2")


def test_a_setting_twice_is_refused() -> None:
    with pytest.raises(UserError, match=r"the setting a\.b is given twice"):
        parse_settings(["a.b=1", "a.c=1", "a.b=2"])
