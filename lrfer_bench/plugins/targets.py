"""Targets: "module:Class", as entry points write where a thing is."""

from __future__ import annotations

import sys
from typing import Any


def target_of(thing: Any) -> str:
    """ "module:Class" of a class or an instance."""
    return f"{thing.__module__}:{_name(thing)}"


def imported_as(thing: Any) -> str:
    """Its target under the name of its module also where that runs as `python -m package.module`.

    Python calls such a module __main__.
    """
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    home = spec.name if spec and thing.__module__ == "__main__" else thing.__module__
    return f"{home}:{_name(thing)}"


def _name(thing: Any) -> str:
    return getattr(thing, "__qualname__", type(thing).__qualname__)
