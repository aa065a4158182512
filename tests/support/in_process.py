"""The command line without a new interpreter for each call."""

from __future__ import annotations

import contextlib
import io
from typing import NamedTuple

from lrfer_bench.cli import main


class Said(NamedTuple):
    """Exit status, and what was written to standard output and to standard error."""

    status: int
    out: str
    err: str


def lrfer(*words: object) -> Said:
    """lrfer("methods", "list"): what the program does, in this process.

    See registries.kept() for plugins.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(word) for word in words])
        except SystemExit as left:
            return Said(int(left.code or 0), _text(out), _text(err))
    raise AssertionError("main() ends by SystemExit")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode("utf-8", "replace")
