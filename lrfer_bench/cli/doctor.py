"""lrfer-bench doctor"""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN
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
    type=click.Path(path_type=Path),
    help="Folder to look at.",
)
@PLUGIN
def doctor(results: Path, plugins: tuple[Path, ...]) -> None:
    """Say what this machine has, and what a run here would use."""
    import torch

    from lrfer_bench.files import default_cache
    from lrfer_bench.machine.limits import memory, usable_cores
    from lrfer_bench.plugins.loading import left_out, load_plugins
    from lrfer_bench.plugins.registry import DATASETS, METHODS, PROTOCOLS, REGISTRIES
    from lrfer_bench.protocols.golden import verdict
    from lrfer_bench.running.engines.local import default_workers
    from lrfer_bench.running.environment import environment

    load_plugins(plugins)
    for name, value in environment().items():
        echo(f"{name}: {value}")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    echo(
        f"GPUs: {gpus}; cores this process may use: {usable_cores()}; "
        f"memory: {memory() / 1e9:.1f} GB"
    )
    each = "one a GPU" if gpus else "one torch thread each"
    echo(f"a run would use {default_workers()} workers, {each}")
    echo(
        f"cache of prepared data sets: {default_cache()} ({_free_gb(default_cache()):.1f} GB free)"
    )
    echo(f"results: {results} ({_free_gb(results):.1f} GB free)")
    for entry in PROTOCOLS:
        try:
            protocol = entry.load()()
        except UserError as error:
            echo(f"protocol {entry.name}: left out: {error}")
            continue
        echo(f"protocol {protocol.id}: {verdict(protocol)}")
    for registry in REGISTRIES:
        echo(f"{registry.kind}s: {', '.join(registry.names())}")
    for name, why in {**left_out(), **broken(METHODS), **broken(DATASETS)}.items():
        echo(f"left out: {name}: {why}")


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
