"""The command line: a sub-command a file, imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from lrfer_bench import __version__
from lrfer_bench.cli.echo import ReaderGone, echo
from lrfer_bench.errors import CellError, UserError

SIGPIPE = 13
"""Its number where there is one; signal.SIGPIPE is missing on Windows."""

COMMANDS = {
    "run": ("run", "Train and test methods, then write the table."),
    "tune": ("tune", "Tune settings on validation, each method by as many trials."),
    "evaluate": ("evaluate", "Test a model that exists already; nothing is trained."),
    "plan": ("plan", "Show what a run would do and how long it would take."),
    "report": ("report", "Turn records into tables, curves and a page."),
    "compare": ("compare", "Test whether two methods really differ."),
    "measure": ("measure", "Measure latency of every finished cell, alone on the machine."),
    "predict": ("predict", "Let a trained model look at your own pictures."),
    "export": ("export", "Write a trained model as ONNX, TorchScript or safetensors."),
    "faces": ("faces", "Draw faces at every scale under every protocol, and restored."),
    "merge": ("merge", "Take another machine's records into mine."),
    "new-method": ("new_method", "Write a file or a package to begin a method with."),
    "check-method": ("check_method", "Test whether a method keeps the rules."),
    "methods": ("methods", "List the methods, show one."),
    "datasets": ("datasets", "List, show, prepare and verify data sets."),
    "protocols": ("protocols", "List the degradations, show one."),
    "presets": ("presets", "List the training budgets, show one."),
    "completion": ("completion", "Print what makes Tab complete names in your shell."),
    "doctor": ("doctor", "Say what this machine has and what a run would use."),
}


class LazyGroup(click.Group):
    """A group whose sub-commands live in modules of their own; --help reads only the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"lrfer_bench.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, COMMANDS[name][0])
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The sub-commands, from the table: nothing is imported to list them."""
        found = [
            CompletionItem(name, help=summary)
            for name, (_, summary) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS:
            from lrfer_bench.errors import did_you_mean

            raise UserError(f'there is no command "{args[0]}": {did_you_mean(args[0], COMMANDS)}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="lrfer-bench")
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Compare methods that recognise facial expressions in faces of 24, 12 or 6 pixels.

    \b
    Examples:
      lrfer-bench run
      lrfer-bench run --dataset fer2013 --data-root DIR --methods direct,multires --preset cpu
    """
    ctx.obj = {"debug": debug}


def main(args: list[str] | None = None) -> None:
    """The program's entry: what a user can cause is one sentence and exit status 2.

    A failed cell gives exit status 1.
    """
    arguments = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in arguments
    if debug:  # it may stand anywhere
        arguments = ["--debug", *(argument for argument in arguments if argument != "--debug")]
    try:
        status = cli.main(args=arguments, prog_name="lrfer-bench", standalone_mode=False)
    except click.ClickException as error:
        if debug:
            raise
        error.show()
        status = 2
    except click.exceptions.Abort:
        echo("stopped; nothing that was written before is lost", err=True)
        status = 130
    except (UserError, CellError) as error:  # a method that is asked outside a run has no record
        if debug:
            raise
        echo(f"lrfer-bench: {error}", err=True)
        status = error.exit_status
    except ReaderGone:  # what the shell says of other programs that are cut off by `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 128 + SIGPIPE
    except OSError as error:  # such as a path that is too long: no other place names it
        if debug:
            raise
        about = error.filename if error.filename is not None else "the system"
        echo(f"lrfer-bench: {about}: {error.strerror or error}: check the path", err=True)
        status = 2
    sys.exit(status if isinstance(status, int) else 0)
