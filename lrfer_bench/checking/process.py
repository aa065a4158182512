"""Runs the conformance checks in a process of their own, so that a method that exits, crashes or prints harms nobody."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS, load_plugin, load_plugins, plugin_module


class Found(NamedTuple):
    """A finding as it comes through the pipe; state: "ok", "failed", "skipped" or "note"."""

    name: str
    state: str
    detail: str


def methods_of(method: str, plugins: Sequence[Path]) -> tuple[list[str], list[str]]:
    """(names to check, plugin files to load) for a method's name, or a file with methods in it."""
    load_plugins(plugins)
    files = [str(file) for file in plugins]
    if not method.endswith(".py") and (method in METHODS.names() or not Path(method).is_file()):
        METHODS.entry(method)
        return [method], files
    file = Path(method).resolve()
    if not file.is_file():
        raise UserError(f"there is no file {method}: give the file of your method, or the name of one that is listed")
    load_plugin(file)
    if str(file) in PLUGIN_ERRORS:
        raise UserError(f"the file {method} cannot be imported: {PLUGIN_ERRORS[str(file)]}")
    names = [entry.name for entry in METHODS if entry.module == plugin_module(file)]
    if not names:
        raise UserError(f'the file {method} registers no method: put @register_method("name") above its class')
    return names, [*files, str(file)]


def check_in_process(name: str, dataset: str, plugins: Sequence[str]) -> Iterator[Found]:
    """The checks of one method, each as soon as it is known; at last what it printed and left running, if anything."""
    from lrfer_bench.running.engines.local import cause, end_with_children, one_thread, without_main
    from lrfer_bench.running.work import place_of

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with tempfile.TemporaryDirectory(prefix="lrfer-check-") as folder:
        log = Path(folder) / "output.log"
        process = context.Process(target=_serve, args=(theirs, name, dataset, list(plugins), str(log)))
        with one_thread(), without_main():
            process.start()
        theirs.close()
        try:
            told = set()
            for found in _findings(ours, process):
                told.add(found.name)
                if found.state == "died":
                    process.join()
                    place = place_of(METHODS.load(name), "losses")
                    yield Found(found.name, "failed", f"{cause(process.exitcode)} ({place})")
                else:
                    yield found
            process.join()
            said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            if said and "prints" not in told:  # by a process of its own, or by a library in C
                some = f"{len(said)} line{'s' if len(said) > 1 else ''}"
                yield Found(
                    "prints", "note", f'{some}, such as "{said[0][:80]}": in a run these go to the results\' logs/'
                )
        finally:
            end_with_children(process)
            process.join()


def _findings(pipe: Connection, process: SpawnProcess) -> Iterator[Found]:
    current = "starts"
    while True:
        try:
            message = _received(pipe, process)
        except (EOFError, OSError):
            yield Found(current, "died", "")
            return
        if message is None:
            return
        if isinstance(message, str):
            current = message
        else:
            yield Found(*message)


def _received(pipe: Connection, process: SpawnProcess) -> Any:
    """The next message; EOFError when the process is gone, even if a child it forked still holds the pipe open."""
    while not pipe.poll(1):
        if not process.is_alive() and not pipe.poll():
            raise EOFError
    return pipe.recv()


def _serve(pipe: Connection, name: str, dataset: str, plugins: Sequence[str], log: str) -> None:
    """The other process: its output goes to a log, its findings through the pipe."""
    from lrfer_bench.running.engines.worker import adopt_orphans, end, left_behind, redirect_output

    with contextlib.suppress(OSError):
        os.setsid()
    adopt_orphans()
    redirect_output(Path(log))
    import torch

    torch.set_num_threads(1)
    from lrfer_bench.checking.checks import run_checks
    from lrfer_bench.running.work import place_of

    load_plugins(plugins)
    for found in run_checks(name, dataset, pipe.send):
        pipe.send((found.name, found.state, found.detail))
    left = left_behind()
    end(left)
    place = place_of(METHODS.load(name), "__init__") if left else ""
    detail = f"{len(left)} still running: stop them in the code that starts them ({place})" if left else ""
    pipe.send(("leaves no process behind", "failed" if left else "ok", detail))
    pipe.send(None)
