"""Runs the checks in a process of their own, where a method may exit, crash or print."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from lrfer_bench.checking.findings import Finding
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import load_plugin, load_plugins, source_of
from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS
from lrfer_bench.running.engines.processes import (
    cause_of_death,
    end,
    end_tree,
    left_behind,
    own_session,
    redirect_output,
    starting,
)

PATIENCE_SECONDS = 1.0
"""How long the pipe is listened to before the process is asked whether it still lives."""


LAST_SECONDS = 15.0
"""How long a process that has told all may take to end."""


def methods_of(method: str, plugins: Sequence[Path]) -> tuple[list[str], list[str]]:
    """(names to check, plugin files to load) for a method's name, or a file with methods in it."""
    load_plugins(plugins)
    files = [str(file) for file in plugins]
    if not method.endswith(".py") and (method in METHODS.names() or not Path(method).is_file()):
        METHODS.entry(method)
        return [method], files
    file = Path(method).resolve()
    if not file.is_file():
        raise UserError(
            f"there is no file {method}: give the file of your method, "
            "or the name of one that is listed"
        )
    load_plugin(file)
    if str(file) in PLUGIN_ERRORS:
        raise UserError(f"the file {method} cannot be imported: {PLUGIN_ERRORS[str(file)]}")
    names = [entry.name for entry in METHODS if entry.source == source_of(file)]
    if not names:
        raise UserError(
            f'the file {method} registers no method: put @register_method("name") above its class'
        )
    return names, [*files, str(file)]


def check_in_process(
    name: str,
    dataset: str,
    plugins: Sequence[str],
    only: Sequence[str] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Finding]:
    """run_checks() in another process. A crash there fails the check that was being made."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="lrfer-check-") as folder:
        log = Path(folder) / "output.log"
        process = context.Process(
            target=_serve,
            args=(theirs, name, dataset, list(plugins), list(only), dict(settings or {}), str(log)),
        )
        with starting():
            process.start()
        theirs.close()
        try:
            told = set()
            for finding in _findings(ours, process, name):
                told.add(finding.check)
                yield finding
            process.join(LAST_SECONDS)  # a thread of the method may never end
            if "prints" not in told and not only:
                yield from _overlooked(log)
        finally:
            end_tree(process)
            process.join()


def _findings(pipe: Connection, process: SpawnProcess, name: str) -> Iterator[Finding]:
    """What the other process sends: ids of checks that it starts, findings, and None at the end."""
    current = "starts"
    while True:
        try:
            message = _received(pipe, process)
        except (EOFError, OSError):
            process.join()
            yield _died(name, current, process.exitcode)
            return
        if message is None:
            return
        if isinstance(message, Finding):
            yield message
        else:
            current = message


def _received(pipe: Connection, process: SpawnProcess) -> Any:
    """The next message; EOFError when the process has ended.

    That is asked of the process itself: a child it forked would hold the pipe open.
    """
    while not pipe.poll(PATIENCE_SECONDS):
        if not process.is_alive() and not pipe.poll():
            raise EOFError
    return pipe.recv()


def _died(name: str, check: str, exitcode: int | None) -> Finding:
    from lrfer_bench.checking.checks import CHECKS
    from lrfer_bench.plugins.blame import place_of

    known = CHECKS.get(check)
    title, function = (
        (known.title, known.blames) if known else ("the process of the checks", "losses")
    )
    place = place_of(METHODS.load(name), function)
    return Finding(check, title, "failed", f"{cause_of_death(exitcode)} ({place})")


def _overlooked(log: Path) -> Iterator[Finding]:
    """A note on what a process of the method's own, or a library in C, has printed."""
    from lrfer_bench.checking.suite import printed

    said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if said:
        some = f"{len(said)} line{'s' if len(said) > 1 else ''}"
        yield printed(f'{some}, such as "{said[0][:80]}"')


def _serve(
    pipe: Connection,
    name: str,
    dataset: str,
    plugins: Sequence[str],
    only: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]],
    log: str,
) -> None:
    """The other process: its output goes to a log, its findings through the pipe."""
    own_session()
    redirect_output(Path(log))
    import torch

    torch.set_num_threads(1)
    from lrfer_bench.checking.suite import run_checks

    load_plugins(plugins)
    for finding in run_checks(name, dataset, only, pipe.send, settings):
        pipe.send(finding)
    end(left_behind())
    pipe.send(None)
