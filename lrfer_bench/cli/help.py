"""How the help of a sub-command looks: options under headings, examples at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


class _Examples(click.Command):
    """A command that knows examples of its use; they are the last thing its help shows."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

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
