"""What sub-commands print: text of records, files and plugins is shown, never obeyed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from lrfer_bench.errors import escaped


class ReaderGone(Exception):
    """The reader of a pipe went away, as in `lrfer-bench methods list | head -1`."""


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """click.echo() with control characters escaped. Raises ReaderGone."""
    _put(escaped(str(text)), err=err, nl=nl)


def _put(text: str | bytes, *, err: bool = False, nl: bool = True) -> None:
    try:
        click.echo(text, err=err, nl=nl)
    except BrokenPipeError as error:  # which click would call a failure of the command
        raise ReaderGone from error


def echo_bold(line: str) -> None:
    """echo() of a line in which bold() set parts; click drops the bold where it cannot be shown."""
    codes = re.compile("(\x1b\\[1m|\x1b\\[0m)")
    parts = codes.split(line)
    _put("".join(part if codes.fullmatch(part) else escaped(part) for part in parts))


def bold(text: str) -> str:
    """Escaped text in bold, for echo_bold()."""
    return click.style(escaped(text), bold=True)


def echo_data(text: str) -> None:
    """Data for a program as they are, file names that are not UTF-8 too; escaped in a terminal."""
    if sys.stdout.isatty():
        echo(text, nl=False)
    else:
        _put(text.encode("utf-8", "surrogateescape"), nl=False)


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """A function that shows on one line of a terminal what is being done; it is gone at the end.

    Nothing is shown where stderr is not a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda text: None
        return

    def tell(text: str) -> None:
        click.echo(f"\r\x1b[2K{escaped(text)[:78]}", err=True, nl=False)

    try:
        yield tell
    finally:
        click.echo("\r\x1b[2K", err=True, nl=False)


@contextmanager
def silence() -> Iterator[Callable[[str], None]]:
    """telling() for who wants to hear nothing."""
    yield lambda text: None
