"""From the arguments of a call in Python to a request."""

from __future__ import annotations

from dataclasses import fields

from lrfer_bench.errors import UserError
from lrfer_bench.planning.arguments import PlanArguments, RunArguments
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings_file import read_settings_file
from lrfer_bench.plugins.handover import hand_over
from lrfer_bench.plugins.loading import load_plugins
from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS
from lrfer_bench.store.presets import preset_in

OF_PRESET = ("epochs", "batch", "lr", "precision", "targets")
"""Fields of a preset that run() has a word of its own for."""


def request_from(given: PlanArguments) -> Request:
    """Classes become names; the files that bring them to the workers join the plugins."""
    files = list(given.plugins)
    load_plugins(files)
    asked = {entry.name for entry in fields(Request)} & set(type(given).model_fields)
    words = {name: getattr(given, name) for name in asked}
    kinds = {
        "methods": METHODS,
        "dataset": DATASETS,
        "protocols": PROTOCOLS,
        "test_protocols": PROTOCOLS,
    }
    for what, registry in kinds.items():
        if words.get(what) is not None:
            words[what], more = hand_over(registry, words[what], given.results)
            files += more
    if len(words["dataset"]) != 1:
        raise UserError(f"dataset names {len(words['dataset'])} data sets: give one a run")
    own = OF_PRESET if isinstance(given, RunArguments) else ()
    changes = {word: getattr(given, word) for word in own}
    words |= {
        "dataset": words["dataset"][0],
        "plugins": tuple(dict.fromkeys(files)),
        "preset": preset_in(given.results, str(given.preset), changes),
        "settings": words["settings"] or {},
        "data_options": words["data_options"] or {},
    }
    if isinstance(given, RunArguments) and given.settings_file is not None:
        words["file"] = read_settings_file(given.settings_file)
    return Request(**words)
