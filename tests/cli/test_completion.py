"""Tab in a shell: what is offered, that nothing heavy is imported, that the scripts are shells'."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable

import click
import in_process
import pytest
from click.shell_completion import BashComplete, ShellComplete

from lrfer_bench.cli import COMMANDS, cli
from lrfer_bench.cli.completing import BY_PARAMETER
from lrfer_bench.contract.preset import PRESETS
from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS


def offered(line: str) -> list[str]:
    """What Tab offers behind a line; the last word is the one being typed."""
    *words, typed = line.split(" ")
    complete = ShellComplete(cli, {}, "lrfer-bench", "_LRFER_BENCH_COMPLETE")
    return [item.value for item in complete.get_completions(words, typed) if item.type == "plain"]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("run --methods ", METHODS.names),
        ("methods show ", METHODS.names),
        ("check-method ", METHODS.names),
        ("compare direct ", METHODS.names),
        ("run --dataset ", DATASETS.names),
        ("datasets prepare ", DATASETS.names),
        ("plan --protocols ", PROTOCOLS.names),
        ("protocols show ", PROTOCOLS.names),
        ("run --preset ", lambda: [*{p.name: 0 for p in PRESETS.values()}, *PRESETS]),
        ("tune --scales ", lambda: ["2", "4", "8"]),
        ("", lambda: list(COMMANDS)),
    ],
)
def test_names_are_offered(line: str, names: Callable[[], list[str]]) -> None:
    """names() is asked when the test runs: an earlier one may have registered more."""
    assert offered(line) == names()


def test_the_last_name_of_a_list_is_completed_and_none_is_offered_twice() -> None:
    assert offered("run --methods direct,gme") == ["direct,gmenet"]
    assert "direct,direct" not in offered("run --methods direct,")
    assert offered("run --scales 4,") == ["4,2", "4,8"]


def test_where_no_name_fits_the_shell_offers_files() -> None:
    complete = ShellComplete(cli, {}, "lrfer-bench", "_LRFER_BENCH_COMPLETE")
    (item,) = complete.get_completions(["run", "--preset"], "my_pre")
    assert item.type == "file"


def test_the_names_mean_the_same_in_every_command() -> None:
    context = click.Context(cli)
    found = {
        param.name for name in COMMANDS for param in (cli.get_command(context, name) or cli).params
    }
    assert set(BY_PARAMETER) <= found, "a name that no command has completes nothing"


def test_tab_imports_no_torch() -> None:
    code = (
        "import sys\n"
        "from click.shell_completion import ShellComplete\n"
        "from lrfer_bench.cli import cli\n"
        "tab = ShellComplete(cli, {}, 'lrfer-bench', 'X')\n"
        "assert tab.get_completions([], 'ru') and tab.get_completions(['run', '--methods'], 'd')\n"
        "assert tab.get_completions(['report', '--datasets'], 'f')\n"
        "sys.exit(str({'torch', 'pandas', 'timm'} & set(sys.modules) or ''))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.stderr.strip(), done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BashComplete, "_check_version", staticmethod(lambda: None))
    said = in_process.lrfer("completion", shell)
    assert said.status == 0 and f"_LRFER_BENCH_COMPLETE={shell}_complete" in said.out
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=said.out, text=True, check=False)
        assert done.returncode == 0


def test_another_shell_is_refused_with_those_there_are() -> None:
    said = in_process.lrfer("completion", "csh")
    assert said.status == 2 and "bash" in said.err
