"""What sub-commands print: text of records, files and plugins is shown, never obeyed."""

from __future__ import annotations

import sys

import click

from lrfer_bench.errors import escaped


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """click.echo() with control characters escaped."""
    click.echo(escaped(str(text)), err=err, nl=nl)


def echo_data(text: str) -> None:
    """Data for a program as they are, file names that are not UTF-8 too; escaped in a terminal."""
    if sys.stdout.isatty():
        echo(text, nl=False)
    else:
        click.echo(text.encode("utf-8", "surrogateescape"), nl=False)
