"""Tunings of the methods in tests/support/plugins/tunable.py, and what they leave behind."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from folders import PLUGINS

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.planning.request import Request
from lrfer_bench.tuning.study import Study
from lrfer_bench.tuning.tune import Outcome, TuningRequest, run_tuning

FILES = [PLUGINS / "tiny.py", PLUGINS / "tunable.py"]


def asked(
    folder: Path,
    *methods: str,
    trials: int = 8,
    epochs: str = "0.5x",
    prune: str = "none",
    **more: Any,
) -> Any:
    run = Request(
        methods=methods, dataset="tinyfaces", scales=more.pop("scales", (2,)), plugins=FILES,
        results=folder, preset=preset_of(more.pop("preset", "quick@1")), **more,
    )  # fmt: skip
    return TuningRequest(run, trials, epochs, prune)


def tuned(folder: Path, *methods: str, **more: Any) -> Outcome:
    return run_tuning(asked(folder, *methods, **more))


def tuned_file(file: Path, folder: Path, **more: Any) -> Study:
    """The study of the method "mine" that this plugin file registers."""
    trials = asked(folder, "mine", **more)
    run = dataclasses.replace(trials.run, plugins=[*FILES, file])
    return run_tuning(dataclasses.replace(trials, run=run)).studies[0]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "tuning").iterdir()}


def read(folder: Path, method: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "tuning" / f"{method}.json").read_text())
    return content
