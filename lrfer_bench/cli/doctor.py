"""lrfer-bench doctor"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.errors import UserError
from lrfer_bench.planning import defaults
from lrfer_bench.plugins.registry import Registry


@click.command(
    cls=Command,
    examples=(
        "lrfer-bench doctor",
        "lrfer-bench doctor --results ~/results",
    ),
)
@click.option(
    "--results",
    default=defaults.RESULTS,
    show_default=True,
    type=UserPath(),
    help="Folder to look at.",
)
@PLUGIN
@JSON
def doctor(results: Path, plugins: tuple[Path, ...], as_json: bool) -> None:
    """Say what this machine has, and what a run here would use."""
    import torch

    from lrfer_bench.files import default_cache
    from lrfer_bench.machine.limits import memory, usable_cores
    from lrfer_bench.plugins.degradation import protocol_of
    from lrfer_bench.plugins.loading import left_out, load_plugins
    from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS, REGISTRIES
    from lrfer_bench.protocols.golden import verdict
    from lrfer_bench.running.engines.local import default_workers
    from lrfer_bench.running.environment import environment
    from lrfer_bench.training.arithmetic import older_arithmetic

    load_plugins(plugins)
    found = environment()
    facts: dict[str, Any] = {
        "older_arithmetic": older_arithmetic(),
        "gpus": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "cores": usable_cores(),
        "memory_gb": round(memory() / 1e9, 1),
        "workers": default_workers(),
        "cache": default_cache(),
        "cache_free_gb": round(_free_gb(default_cache()), 1),
        "results": results,
        "results_free_gb": round(_free_gb(results), 1),
    }
    verdicts = {}
    for entry in PROTOCOLS:
        try:
            protocol = protocol_of(entry.name)
            verdicts[protocol.id] = verdict(protocol)
        except UserError as error:
            verdicts[entry.name] = f"left out: {error}"
    names = {f"{registry.kind}s": registry.names() for registry in REGISTRIES}
    missing = {**left_out(), **broken(METHODS), **broken(DATASETS)}
    if as_json:
        pixels = {"verdicts": verdicts}
        echo_json({"environment": found, **facts, **pixels, **names, "left_out": missing})
        return
    _show(found, facts)
    for name, said in verdicts.items():
        echo(f"protocol {name}: {said}")
    for kind, known in names.items():
        echo(f"{kind}: {', '.join(known)}")
    for name, why in missing.items():
        echo(f"left out: {name}: {why}")


def _show(found: Mapping[str, object], facts: Mapping[str, Any]) -> None:
    from lrfer_bench.training.arithmetic import TO_BE_ALIKE

    for name, value in found.items():
        echo(f"{name}: {value}")
    if facts["older_arithmetic"] not in ("", found["arithmetic"]):
        echo(f"arithmetic under {TO_BE_ALIKE}: {facts['older_arithmetic']}")
    echo(
        f"GPUs: {facts['gpus']}; cores this process may use: {facts['cores']}; "
        f"memory: {facts['memory_gb']} GB"
    )
    each = "one a GPU" if facts["gpus"] else "one torch thread each"
    echo(f"a run would use {facts['workers']} workers, {each}")
    echo(f"cache of prepared data sets: {facts['cache']} ({facts['cache_free_gb']} GB free)")
    echo(f"results: {facts['results']} ({facts['results_free_gb']} GB free)")


def broken(registry: Registry) -> dict[str, str]:
    """Third parties' entry points that cannot be imported, and why.

    The built-in ones are tested elsewhere.
    """
    found = {}
    for entry in registry:
        if not entry.source.startswith("lrfer-bench "):
            try:
                entry.load()
            except UserError as error:
                found[entry.name] = str(error)
    return found


def _free_gb(path: Path) -> float:
    """Free space where the path is, or would be made."""
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free / 1e9
