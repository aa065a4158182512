"""From what a command line or a script asks for to a plan and a finished run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.data.cache import Prepared, prepare
from lrfer_bench.data.options import make_dataset
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults
from lrfer_bench.planning.plan import DataRef, Plan, Request, build_plan
from lrfer_bench.plugins.registry import load_plugins
from lrfer_bench.store.store import Store


@dataclass(frozen=True)
class Wish:
    """What is asked for, in the words of the command line; see `lrfer-bench run --help`."""

    methods: Sequence[str]
    dataset: str = defaults.DATASET
    data_root: Path | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    scales: Sequence[int] = defaults.SCALES
    protocols: Sequence[str] = (defaults.PROTOCOL,)
    test_protocols: Sequence[str] | None = None
    test_scales: Sequence[int] | None = None
    seeds: Sequence[int] = (0,)
    preset: str = defaults.PRESET
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plugins: Sequence[Path] = ()
    results: Path = Path(defaults.RESULTS)


@dataclass(frozen=True)
class Session:
    """A wish made ready: data prepared, plan built, results folder opened."""

    wish: Wish
    prepared: Prepared
    plan: Plan
    store: Store


def open_session(wish: Wish) -> Session:
    """Check everything that can be checked before an hour of training: names, scales, settings, files, the results folder."""
    load_plugins(wish.plugins)
    preset = preset_of(wish.preset)
    prepared = prepared_dataset(wish.dataset, wish.data_root, wish.data_options)
    request = Request(
        data=data_ref(wish.dataset, prepared), methods=wish.methods, scales=wish.scales, preset=preset,
        protocols=wish.protocols, test_protocols=wish.test_protocols, test_scales=wish.test_scales, seeds=wish.seeds,
        settings=wish.settings,
    )  # fmt: skip
    return Session(wish, prepared, build_plan(request), Store(wish.results))


def prepared_dataset(name: str, root: Path | None, options: Mapping[str, Any]) -> Prepared:
    """Load (or find in the cache) a data set by name; UserErrors say what is missing and where it was looked for."""
    return prepare(make_dataset(name, options), name, root)


def data_ref(name: str, prepared: Prepared) -> DataRef:
    faces = prepared.faces
    return DataRef(
        name,
        prepared.fingerprint,
        str(prepared.directory.resolve()),
        faces.classes,
        faces.channels,
        faces.size,
        faces.synthetic,
    )


def check_writable(store: Store) -> None:
    """A results folder that cannot be written is found out before the training, not after."""
    probe = store.root / f".write-probe-{os.getpid()}"
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"the results folder {store.root} cannot be written ({error.strerror or error}): choose another one with --results"
        ) from error
