"""What a Python caller leaves out of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.choose import Choice
from lrfer_bench.reporting.collect import Options


def report_options(given: Mapping[str, Any]) -> Options:
    """Options of a report from the arguments of report(): names of a Choice stand among them.

    UserError for a choice that is none.
    """
    choice = given.get("choice") or Choice()
    if not isinstance(choice, Choice):
        raise UserError(f"choice is {choice!r}: give names with methods=[...], datasets=[...]")
    named = {field.name for field in fields(Choice)}
    choice = replace(choice, **{name: given[name] for name in named & given.keys()})
    rest = {name: value for name, value in given.items() if name not in named}
    return Options(**{**rest, "choice": choice})
