"""How the help of a sub-command looks: options under headings, examples at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from lrfer_bench.cli.completing import complete_by_name
from lrfer_bench.errors import UserError, nearest

MEANT = {
    "learningrate": "--lr", "rate": "--lr", "batchsize": "--batch", "bs": "--batch",
    "numepochs": "--epochs", "iterations": "--epochs", "steps": "--epochs", "budget": "--preset",
    "gpu": "--device", "cuda": "--device", "gpus": "--device", "fp16": "--precision",
    "amp": "--precision", "model": "--methods", "models": "--methods", "data": "--dataset",
    "root": "--data-root", "path": "--data-root", "resolution": "--scales", "size": "--scales",
    "sizes": "--scales", "factor": "--scales", "degradation": "--protocols", "output": "--out",
    "outdir": "--results", "logdir": "--results", "jobs": "--workers", "threads": "--workers",
    "processes": "--workers", "numworkers": "--workers", "force": "--overwrite",
    "rerun": "--overwrite", "timeout": "--time-limit", "tensorboard": "--log",
}  # fmt: skip
"""What newcomers call an option, in letters and digits; used where a command has that option."""


class _Examples(click.Command):
    """A command that knows examples of its use; they are the last thing its help shows."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        complete_by_name(self.params)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but what is not understood is answered by what may be meant."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            options = [word for param in self.params for word in param.opts if word[:2] == "--"]
            close = nearest(name, options, MEANT)
            near = f"did you mean {' or '.join(close)}?" if close else "its --help lists them"
            raise UserError(f"{ctx.command_path} has no option {name}: {near}") from error

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples as they were written: a wrapped command could not be copied."""
        if self.examples:
            formatter.write_paragraph()
            formatter.write("Examples:\n")
            for example in self.examples:
                formatter.write(f"  {example}\n")


class Command(_Examples):
    """A sub-command. groups: heading -> names of parameters; the rest stands under "Options"."""

    def __init__(
        self, *args: Any, groups: Mapping[str, Sequence[str]] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.groups = dict(groups or {})

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """A word too many is often a list that was written with blanks."""
        strict, ctx.allow_extra_args = not ctx.allow_extra_args, True
        rest = super().parse_args(ctx, args)
        if strict and ctx.args and not ctx.resilient_parsing:
            lists = any("," in (param.metavar or "") for param in self.params)
            raise UserError(
                f'{ctx.command_path} does not know what to do with "{" ".join(ctx.args)}": '
                + (
                    "write lists with commas and no blanks, such as 2,4,8"
                    if lists
                    else "leave it out, or see its --help"
                )
            )
        ctx.allow_extra_args = not strict
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        shown = {
            option.name: record
            for option in options
            if (record := option.get_help_record(ctx)) is not None
        }
        headed = {name for names in self.groups.values() for name in names}
        rest = [name for name in shown if name not in headed]
        helping = self.get_help_option(ctx)
        groups = {heading: list(names) for heading, names in self.groups.items()}
        if groups and helping is not None and rest == [helping.name]:
            groups[list(groups)[-1]] += rest  # a heading for --help alone would cost two lines
            rest = []
        for heading, names in {**groups, "Options": rest}.items():
            rows = [shown[name] for name in names if name in shown]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class Group(_Examples, click.Group):
    """A command that holds others."""

    command_class = Command
