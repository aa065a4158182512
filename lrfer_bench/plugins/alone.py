"""Whether a text says all: run by itself, it gives its names the values that the program has.

Keys hold a text, and workers run it. A program whose constant comes from its arguments, a variable
of the environment or a file, or is changed while it runs, would get results of another value.
"""

from __future__ import annotations

import reprlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from importlib.machinery import SourceFileLoader
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from lrfer_bench.errors import UserError
from lrfer_bench.machine.generators import generators_kept
from lrfer_bench.plugins.alike import Comparison, Difference
from lrfer_bench.plugins.blame import is_installed, own_place
from lrfer_bench.plugins.outside import nothing_outside
from lrfer_bench.plugins.registry import REGISTRIES
from lrfer_bench.plugins.slicing import rests_on

ALONE = "lrfer_plugin_alone"
"""The module of a script's text: classes of it are, as those of plugin files, not handed over."""
BY_ITSELF = (
    "runs by itself, as keys and workers know it (no arguments, environment variables, files, "
    "seeds, nor what the program changes)"
)
ADVICE = (
    "write the value into the text, or make it a setting: `*, width: int = 8` in __init__ of the "
    'method, settings={"my-idea": {"width": 64}} in the call'
)
ONE = threading.RLock()
"""Arguments, environment, standard output and registries are the whole program's: one at a time."""
_running: dict[str, int] = {}
"""The modules whose text is being run, and by which thread: one may start a run when imported."""


class StartsRun(UserError):
    """A text starts a run where only its classes are wanted."""


def no_run_here() -> None:
    """StartsRun if the text of a class is being run by itself: workers would start runs, too."""
    here = threading.get_ident()
    for module in [name for name, thread in _running.copy().items() if thread == here]:
        raise StartsRun(
            f"the text that the classes of {module} rest on starts a run itself: put what starts "
            'it under if __name__ == "__main__", and where it is a loop over a value that a class '
            "rests on, make that a setting of the method"
        )


def check_alone(
    module: str,
    text: str | bytes,
    shown: str,
    outside: bool = False,
    classes: Sequence[str] = (),
) -> None:
    """UserError if a module of this process is not what its text by itself makes of it.

    text: bytes for the whole of its file, else what its classes rest on
    shown: what a sentence calls it
    outside: whether what is read from outside of the text may count, as for data sets: keys hold
             what they are made of
    classes: names of the text that count, with what they rest on; none: all that it binds

    A text that does not work in any case is left to whoever loads it.
    """
    program = sys.modules.get(module)
    if (
        program is None
        or module in _running
        or is_installed(getattr(program, "__file__", "") or "")
    ):
        return
    by_python = type(getattr(program, "__loader__", None)) is SourceFileLoader
    if isinstance(text, bytes) and not by_python:  # a tool that rewrites code imported it
        return
    name = module if isinstance(text, bytes) else ALONE
    with ONE:
        _running[module] = threading.get_ident()
        try:
            alone = _run(program, name, text, shown, outside)
        finally:
            del _running[module]
    if alone is None:
        return
    names = rests_on(text, classes or alone)
    asked = {name: value for name, value in alone.items() if name in names}
    found = Comparison((module, name), by_python).of_names(vars(program), asked)
    if found:
        raise UserError(_sentence(min(found, key=lambda each: each.values is not None), shown))


def _sentence(found: Difference, shown: str) -> str:
    if found.values is None:
        return (
            f"{found.where} is not what {shown} holds now, which was changed after the program "
            "read it: start the program again (in a notebook: restart it, or reload the module)"
        )
    ours, alone = (reprlib.repr(value) for value in found.values)
    return (
        f"{found.where} is {ours} in the program, but {alone} where the text of {shown} "
        f"{BY_ITSELF}: {ADVICE}"
    )


def _run(
    program: ModuleType, name: str, text: str | bytes, shown: str, outside: bool
) -> dict[str, Any] | None:
    """The names that a text gives values; None for a text that does not work."""
    file = getattr(program, "__file__", None) or shown
    try:
        with nullcontext() if outside else nothing_outside():
            return _executed(program, name, text, file)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, StartsRun)):
            raise
        missed = error
    if outside:
        return None
    try:
        _executed(program, name, text, file)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return None
    place = own_place(missed) or file
    raise UserError(
        f"{Path(place).name}: {type(missed).__name__} ({missed}) where the text of {shown} "
        f"{BY_ITSELF}: {ADVICE}"
    ) from missed


def _executed(program: ModuleType, name: str, text: str | bytes, file: str) -> dict[str, Any]:
    made = ModuleType(name)
    for each in ("__file__", "__package__", "__path__", "__spec__"):
        if hasattr(program, each):
            setattr(made, each, getattr(program, each))
    code = compile(text, file, "exec", dont_inherit=True)
    with _in_place(name, made), ExitStack() as scopes:
        for registry in REGISTRIES:
            scopes.enter_context(registry.scope(out=lambda entry: entry.home == program.__name__))
        scopes.enter_context(redirect_stdout(StringIO()))
        scopes.enter_context(redirect_stderr(StringIO()))
        scopes.enter_context(_no_input())
        scopes.enter_context(generators_kept())
        exec(code, vars(made))
    return vars(made)


@contextmanager
def _no_input() -> Iterator[None]:
    """What asks for a line gets none: nobody waits for an answer here."""
    before, sys.stdin = sys.stdin, StringIO()
    try:
        yield
    finally:
        sys.stdin = before


@contextmanager
def _in_place(name: str, made: ModuleType) -> Iterator[None]:
    before = sys.modules.get(name)
    sys.modules[name] = made
    try:
        yield
    finally:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
