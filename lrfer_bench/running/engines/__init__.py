"""Engines by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lrfer_bench.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from lrfer_bench.planning.request import Request
    from lrfer_bench.running.engines.base import Engine

ENGINES = ("local", "ray")


def engine_for(request: Request, logs: Path) -> Engine:
    """The engine that a request asks for, see engine_of()."""
    return engine_of(
        request.engine, request.workers, request.plugins, logs, request.time_limit,
        address=request.address, cpus=request.cpus_per_model, gpus=request.gpus_per_model,
        device=request.device,
    )  # fmt: skip


def engine_of(
    name: str,
    workers: int | None,
    plugins: Sequence[str | Path],
    logs: Path,
    time_limit: float | None = None,
    *,
    address: str | None = None,
    cpus: float | None = None,
    gpus: float | None = None,
    device: str | None = None,
) -> Engine:
    """The engine of a name, not yet started; UserError with the nearest name.

    address, cpus, gpus: of a cluster and of one model there; for Ray only
    device: see running/devices.py; for this machine only
    """
    if name == "ray":
        if time_limit is not None:
            raise UserError("--time-limit is for --engine local: Ray jobs run without a limit")
        if device is not None:
            raise UserError(
                "--device is for --engine local: on a cluster --gpus-per-model says it (0 for none)"
            )
        try:
            from lrfer_bench.running.engines.ray import RayEngine
        except ImportError as error:
            raise UserError(
                f'the Ray engine needs Ray ({error}): pip install "lrfer-bench[ray]"'
            ) from error
        return RayEngine(plugins, workers, address or "auto", 1.0 if cpus is None else cpus, gpus)
    if name != "local":
        raise UserError(f'there is no engine "{name}": {did_you_mean(name, ENGINES)}')
    if (address, cpus, gpus) != (None, None, None):
        raise UserError(
            "--address, --cpus-per-model and --gpus-per-model are for a cluster: use them with "
            "--engine ray"
        )
    from lrfer_bench.running.engines.local import LocalEngine

    return LocalEngine(workers, plugins, logs, time_limit, device)
