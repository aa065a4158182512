"""lrfer-bench completion: the script that teaches a shell the program's words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Command,
    examples=(
        "lrfer-bench completion bash",
        "lrfer-bench completion fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what makes Tab complete commands, options, methods, data sets, presets and more.

    Append it to ~/.bashrc or ~/.zshrc (by >>), or write it to
    ~/.config/fish/completions/lrfer-bench.fish (by >). It holds from the next shell on.
    """
    from lrfer_bench.cli import cli

    found = get_completion_class(shell)
    assert found is not None
    echo(found(cli, {}, "lrfer-bench", "_LRFER_BENCH_COMPLETE").source())
