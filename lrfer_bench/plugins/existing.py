"""A model that exists already becomes a plugin file: its source as it is, and a line behind it.

The line names the content of its weights, so that the file's hash is the model's: source, weights,
name and classes.
"""

from __future__ import annotations

import ast
import json
import symtable
from collections.abc import Callable, Iterable, Sequence
from importlib.util import decode_source
from pathlib import Path
from typing import Any

from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.files import SOURCE_BYTES, at_home, default_cache, read_limited
from lrfer_bench.plugins.contents import content_of
from lrfer_bench.plugins.handover import kebab, load_in_place_of, text_of
from lrfer_bench.plugins.kept import FOLDER, keep
from lrfer_bench.plugins.registry import METHODS, NAME, Entry

AGAIN = "evaluate the model once more (lrfer-bench evaluate FILE.py:CLASS --weights FILE)"
"""What helps where a file of a model is not here any more."""
ADVICE = "write FILE.py:CLASS, such as net.py:Net"


def model_plugin(
    model: str | Callable[..., Any],
    weights: Path | None = None,
    name: str | None = None,
    classes: Sequence[str] = (),
) -> tuple[str, Path]:
    """(name of the method, plugin file) for a model; the file is kept in the cache and loaded.

    A run copies it into its results folder (keep_models), once all is known to be in order.

    model: "FILE.py:CLASS", or a class or function; name: None is that of the class
    classes: the names of its answers, where the class does not say them

    UserError for a file that cannot be read or imported, a class that is not in it, and a name that
    is taken.
    """
    if isinstance(model, str):
        attribute, stem, source = _named(model)
        module, shown = "", model
    elif callable(model) and hasattr(model, "__qualname__"):
        attribute, module = model.__qualname__, model.__module__
        stem, text = text_of(module, [model])
        source, shown = text.encode(), attribute
    else:
        raise UserError(
            f"the model is a {type(model).__name__}: {ADVICE}, or give its class or a function "
            "that makes it"
        )
    called = name or kebab(attribute)
    _check_name(called)
    content = content_of("weights", str(weights)) if weights else ""
    file = keep(source + _line(called, attribute, content, classes), stem, default_cache())
    fault = load_model_plugin(called, file, module=module)
    if fault:
        raise UserError(f"the model {shown} cannot be used: {fault}")
    return called, file


def keep_models(plugins: Iterable[Path], results: Path) -> None:
    """Copy the plugin files of models into a results folder, where `predict` finds them again."""
    made_here = (default_cache() / FOLDER).resolve()
    for file in plugins:
        if made_here in Path(file).resolve().parents:
            keep(Path(file).read_bytes(), Path(file).stem, results)


def _named(model: str) -> tuple[str, str, bytes]:
    """(class, stem, source) of FILE.py:CLASS."""
    path, colon, attribute = model.rpartition(":")
    if not colon or not attribute.isidentifier() or not path.endswith(".py"):
        raise UserError(f'the model "{model}" is not understood: {ADVICE}')
    file = at_home(path)
    try:
        source = read_limited(file, SOURCE_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"the file {path} cannot be read ({reason}): check its name") from error
    try:
        known = _defined(source, path)
    except (SyntaxError, ValueError) as error:
        place = f"{path}:{getattr(error, 'lineno', 1)}"
        raise UserError(f"the file {path} is not Python: {error} ({place})") from error
    if known is not None and attribute not in known:
        raise UserError(
            f'the file {path} has no class or function "{attribute}": '
            f"{did_you_mean(attribute, known)}"
        )
    return attribute, file.stem, source


def _defined(source: bytes, path: str) -> list[str] | None:
    """Names that a file defines or imports at its top level; None where it imports "*"."""
    tree = ast.parse(source, path)
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    if any(alias.name == "*" for node in imported for alias in node.names):
        return None
    symbols = symtable.symtable(decode_source(source), path, "exec").get_symbols()
    return [
        symbol.get_name()
        for symbol in symbols
        if symbol.is_namespace() or symbol.is_imported() or symbol.is_assigned()
    ]


def _check_name(name: str) -> None:
    """UserError for a name that a method cannot have, and for one that another method has."""
    advice = "give it another one with --name (name=... in Python)"
    if not NAME.fullmatch(name):
        raise UserError(
            f'the model cannot be called "{name}": names have letters, digits, points, hyphens and '
            f"underscores, and begin with a letter or digit; {advice}"
        )
    taken = [entry for entry in METHODS if entry.name == METHODS.current(name)]
    if any(not _is_model(entry) for entry in taken):
        raise UserError(
            f'the model cannot be called "{name}", which is a method of {taken[0].source}: {advice}'
        )


def _is_model(entry: Entry) -> bool:
    return hasattr(entry.loaded, "stands_for")


def _line(name: str, attribute: str, weights: str, classes: Sequence[str]) -> bytes:
    words = f", weights={json.dumps(weights)}" if weights else ""
    words += f", classes={json.dumps(list(classes))}" if classes else ""
    return (
        "\n\n\nfrom lrfer_bench.nets.existing import register_model as _register_model\n\n"
        f"_register_model({json.dumps(name)}, {attribute}, __name__{words})\n"
    ).encode()


def load_model_plugin(name: str, file: Path, content: bytes | None = None, module: str = "") -> str:
    """Load the plugin file of a model; why it cannot be used, "" where it can.

    A model that this process knows under the name, of other source or weights, is forgotten.
    content, module: see load_in_place_of()
    """
    for entry in METHODS:
        if entry.name == name and _is_model(entry):
            METHODS.forget(entry.source)
    return load_in_place_of(module, file, content)
