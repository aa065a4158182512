"""--config: the words of a run file as the defaults of a command, and what is typed beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

PARAMETERS = {"set": "settings", "settings": "settings_file", "plugin": "plugins"}
"""What an option's word is called as a parameter, where it is not the word itself."""


def take_run_file(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """The words of a run file become the defaults of this command: what was typed wins."""
    if path is None:
        return
    from lrfer_bench.planning.run_file import read_run_file

    words = read_run_file(path)
    known = {param.name for param in context.command.params}
    found = {PARAMETERS.get(word, word.replace("-", "_")): value for word, value in words.items()}
    context.default_map = {name: value for name, value in found.items() if name in known}


def with_the_files(
    context: click.Context, parameter: click.Parameter, typed: tuple[Any, ...]
) -> tuple[Any, ...]:
    """What was typed of a repeated option, after what a run file says under other names.

    A callback. Of one setting, one data option, or plugins of one file name, what was typed wins.
    """
    name = str(parameter.name)
    if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return typed  # that of the file as it is, or none
    of_file = (context.default_map or {}).get(name) or ()
    names = {_name(name, each) for each in typed}
    before = parameter.type_cast_value(context, of_file)
    return (*(each for each in before if _name(name, each) not in names), *typed)


def _name(parameter: str, value: str | Path) -> str:
    if isinstance(value, Path):
        return value.name
    name = value.partition("=")[0].strip()
    return name.replace("-", "_") if parameter == "data_option" else name
