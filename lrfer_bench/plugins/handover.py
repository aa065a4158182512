"""How classes of a script, a notebook or a module reach worker processes.

Workers start without them. A worker gets a plugin file. For a class of a script or notebook, it
holds the definitions that the class rests on, with their line numbers kept, so that nothing else of
the script runs again. For a class of an importable module, it holds a line that imports it. A file
that stands alone and registers its class itself is a plugin file already, and is handed over as it
is.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.alone import ONE, check_alone, no_run_here
from lrfer_bench.plugins.kept import keep
from lrfer_bench.plugins.loading import load_plugin, plugin_module, source_of
from lrfer_bench.plugins.neighbours import neighbours
from lrfer_bench.plugins.registry import (
    DATASETS,
    METHODS,
    METRICS,
    PLUGIN_ERRORS,
    PROTOCOLS,
    RECALLED,
    REGISTRIES,
    Entry,
    Registry,
)
from lrfer_bench.plugins.slicing import definitions, without_magics
from lrfer_bench.plugins.targets import target_of

DECORATORS = {
    METHODS.kind: "register_method",
    DATASETS.kind: "register_dataset",
    PROTOCOLS.kind: "register_protocol",
    METRICS.kind: "register_metric",
}


def hand_over(
    registry: Registry, things: Sequence[str | type], results: Path
) -> tuple[list[str], list[Path]]:
    """(names, plugin files that workers have to load) for a mixed list of names and classes.

    Files are written under results/plugins. UserError for a class whose source is not found or
    does not work by itself.
    """
    no_run_here()
    classes = [_class_of(registry, thing) for thing in things]
    names = [thing if isinstance(thing, str) else name_of(registry, thing) for thing in things]
    groups: dict[str, list[tuple[str, type]]] = {}
    for name, cls in zip(names, classes, strict=True):
        if cls is not None:
            groups.setdefault(cls.__module__, []).append((bare(name), cls))
    for module, group in groups.items():
        # A method may name another of the same script as its stage.
        known = {name for name, _ in group}
        others = [entry for entry in registry if entry.home == module and entry.name not in known]
        group += [(entry.name, _newest(entry)) for entry in others if not _removed(entry)]
    with ONE:  # a module that is being run by itself is half made for other threads
        files = [
            _hand_over_module(registry, module, group, results) for module, group in groups.items()
        ]
    return names, files


def name_of(registry: Registry, cls: type) -> str:
    """The name of a class: the registered one, else its `name`, else its own in kebab-case.

    >>> class MyIdea: pass
    >>> name_of(METHODS, MyIdea)
    'my-idea'
    """
    if not isinstance(cls, type):
        raise _neither_name_nor_class(registry, cls)
    target = target_of(cls)
    for entry in registry:
        if entry.loaded is cls or target in (entry.target, entry.made_from):
            return entry.name
    own = getattr(cls, "name", None)
    if isinstance(own, str):  # protocols have one
        return own
    return kebab(cls.__name__)


def kebab(name: str) -> str:
    """
    >>> kebab("MyIdea"), kebab("ResNet18")
    ('my-idea', 'res-net18')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def _neither_name_nor_class(registry: Registry, thing: Any) -> UserError:
    return UserError(
        f"{thing!r} is neither a name nor a class: give a {registry.kind}'s name or its class"
    )


def _class_of(registry: Registry, thing: str | type) -> type | None:
    """The class to hand over; None for installed things and plugin files: workers find these."""
    cls: Any = thing
    if isinstance(thing, str):
        if bare(thing) not in registry.names():
            return None  # the plan says what is wrong with it
        entry = registry.entry(bare(thing))
        if entry.loaded is None:
            return None
        if _removed(entry):
            home, _, written = (entry.made_from or entry.target).partition(":")
            raise UserError(
                f'the {registry.kind} "{thing}" was registered by {written} of {home}, which has '
                "been removed from there: define it again, or leave the name out"
            )
        cls = _newest(entry)
    if not isinstance(cls, type):
        raise _neither_name_nor_class(registry, thing)
    installed = any(entry.target == target_of(cls) and entry.loaded is None for entry in registry)
    return None if installed or cls.__module__.startswith("lrfer_plugin_") else cls


def bare(label: str) -> str:
    """The name alone of "bicubic@1" or "gmenet[kd_weight=0]"."""
    return re.split(r"[@\[]", label, maxsplit=1)[0]


def _removed(entry: Entry) -> bool:
    """Whether a class is gone from the script, notebook or module that registered it."""
    home, _, attribute = (entry.made_from or entry.target).partition(":")
    module = sys.modules.get(home)
    # A class within another or within a function is found in no module; a sentence says so later.
    return module is not None and "." not in attribute and not hasattr(module, attribute)


def _newest(entry: Entry) -> Any:
    """In a notebook a class may have been defined again since it was registered."""
    module, _, attribute = (entry.made_from or entry.target).partition(":")
    return getattr(sys.modules.get(module), attribute, entry.loaded)


def _hand_over_module(
    registry: Registry, module: str, group: list[tuple[str, type]], results: Path
) -> Path:
    """The plugin file that registers the classes of one module; it is loaded here, too."""
    own = _own_plugin(registry, module, group)
    if own is None:
        stem, text = _plugin_text(registry, module, group)
        file = keep(text.encode(), stem, results)
    else:
        file = own
        named = [cls.__name__ for _, cls in group]
        check_alone(module, own.read_bytes(), own.name, registry is DATASETS, named)
        keep(own.read_bytes(), own.stem, results)  # where a trained model finds it again
    fault = load_in_place_of(module, file)
    if fault:
        names = ", ".join(cls.__name__ for _, cls in group)
        raise UserError(
            f"{names} cannot be handed to the workers: {fault}; put it into a file of its own with "
            "all that it needs, and give that file with plugins=[...]"
        )
    for name, cls in group:
        registry.remember(name, target_of(cls))
    return file


def load_in_place_of(module: str, file: Path, content: bytes | None = None) -> str:
    """Load a plugin file that was made from a module; why it cannot be used, "" where it can.

    What the module registered when it ran makes room for the same things of the file.
    content: see load_plugin()
    """
    with ExitStack() as scopes:
        for each in REGISTRIES:
            scopes.enter_context(each.scope(out=lambda e: e.home == module, keep_new=True))
        # so that the file registers its things again
        sys.modules.pop(plugin_module(file, content), None)
        load_plugin(file, content)
        RECALLED.discard(source_of(file))
        return PLUGIN_ERRORS.pop(str(file), "")


def _own_plugin(registry: Registry, module: str, group: list[tuple[str, type]]) -> Path | None:
    """The file of a module outside any package, if it registers all these classes itself.

    It is handed over unchanged, so that keys are those of --plugin. Not so where it imports modules
    of the user's: their code would be in no key.
    """
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == "__main__" or "." in module or not file or not file.endswith(".py"):
        return None
    if not _importable(module, file) or Path(file).name == "__init__.py":
        return None
    content = Path(file).read_bytes()
    if neighbours(content, module):
        return None
    body = ast.parse(content).body
    classes = [statement for statement in body if isinstance(statement, ast.ClassDef)]
    registered = {(cls.name, name) for cls in classes for name in _registered_as(registry, cls)}
    asked = {(cls.__name__, name) for name, cls in group}
    return Path(file).resolve() if asked <= registered else None


def _registered_as(registry: Registry, cls: ast.ClassDef) -> list[str]:
    """The names in `@register_method("name")` above a class."""
    calls = [call for call in cls.decorator_list if isinstance(call, ast.Call)]
    decorator = DECORATORS[registry.kind]
    ours = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == decorator]
    return [str(arg.value) for call in ours for arg in call.args if isinstance(arg, ast.Constant)]


def _plugin_text(registry: Registry, module: str, group: list[tuple[str, type]]) -> tuple[str, str]:
    """(stem of the file, its content)"""
    decorator = DECORATORS[registry.kind]
    last = [f"from lrfer_bench.api import {decorator} as _register", ""]
    last += [f'_register("{name}")({cls.__name__})' for name, cls in group]
    stem, text = text_of(module, [cls for _, cls in group], outside=registry is DATASETS)
    return stem, text + "\n".join(["", *last]) + "\n"


def text_of(module: str, classes: Sequence[Any], outside: bool = False) -> tuple[str, str]:
    """(stem of a file, text that defines these classes or functions of a module)

    outside: see check_alone()

    What it imports of the user's own has to be what it is now, by its hashes in the text.

    UserError for what is defined inside a function, where the source is not found, and where it
    does not make of the classes by itself what they are in this program.
    """
    for cls in classes:
        if cls.__qualname__ != cls.__name__:
            raise UserError(
                f"{cls.__qualname__} is defined inside a function or a class: workers cannot "
                "reach it there; define it at the top level of its file"
            )
    file = getattr(sys.modules.get(module), "__file__", None)
    names = [cls.__name__ for cls in classes]
    if module != "__main__" and file and _importable(module, file):
        return Path(file).stem, _importing_text(module, Path(file), names, outside)
    stem, source = _source(module, file, names[0])
    shown = f"{stem}.py" if file else stem
    text = definitions(source, names, shown, lines_stay=bool(file))
    check_alone(module, text, shown, outside)
    lines = _unchanged(neighbours(text, module))
    return stem, "\n".join([text, *lines]) if lines else text


def _importing_text(module: str, file: Path, names: Sequence[str], outside: bool) -> str:
    """A text that imports classes of a module, if its file is what it is now."""
    content = file.read_bytes()
    check_alone(module, content, file.name, outside, names)
    mark = hashlib.sha256(content).hexdigest()
    head = [f'"""{file.name} sha256:{mark}"""', ""]
    head += _unchanged({module: mark, **neighbours(content, module)})
    return "\n".join([*head, *(f"from {module} import {name}" for name in names)])


def _unchanged(files: Mapping[str, str]) -> list[str]:
    """Lines that ask whether modules are what they were. files: name -> sha256."""
    asked = [f'_unchanged("{module}", "{mark}")' for module, mark in files.items()]
    head = ["from lrfer_bench.plugins.unchanged import unchanged as _unchanged", ""]
    return [*head, *asked] if asked else []


def _importable(module: str, file: str) -> bool:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin is not None and Path(spec.origin) == Path(file)


def _source(module: str, file: str | None, name: str) -> tuple[str, str]:
    """(stem, text) of the script or notebook that a class was defined in."""
    if file and Path(file).is_file() and file.endswith(".py"):
        return Path(file).stem, Path(file).read_text(encoding="utf-8-sig")
    cells = getattr(sys.modules.get(module), "In", None)  # IPython and notebooks keep input here
    text = "\n".join(without_magics(cell) for cell in cells) if isinstance(cells, list) else ""
    if re.search(rf"^(class|def) {re.escape(name)}\b", text, flags=re.MULTILINE):
        return "notebook", text
    raise UserError(
        f"the source of {name} is not found, so it cannot be handed to the workers: write it into "
        "a file and give that file with plugins=[...]"
    )
