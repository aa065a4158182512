"""What a user asks of a cluster for one model, checked before anything starts."""

from __future__ import annotations

import math
import os

from lrfer_bench.errors import UserError

CHECKPOINT_VARIABLE = "LRFER_CHECKPOINT_SECONDS"
CHECKPOINT_SECONDS = 60.0


def check_shares(cpus: float, gpus: float | None) -> None:
    """UserError for what Ray gives to no worker."""
    gpus = gpus or 0.0
    if not (cpus > 0 and gpus >= 0 and math.isfinite(cpus + gpus)):
        raise UserError(
            f"{cpus:g} CPUs and {gpus:g} GPUs a model are not possible: give more than 0 CPUs, and "
            "0 GPUs or more"
        )
    for share, option in ((cpus, "--cpus-per-model"), (gpus, "--gpus-per-model")):
        if share > 1 and share != int(share):
            raise UserError(
                f"{option} {share:g} is not possible: above 1 Ray gives whole ones only, so say "
                f"{math.floor(share)} or {math.ceil(share)}"
            )


def checkpoint_seconds() -> float:
    """How often a running training's checkpoint goes home; UserError for what is no number."""
    word = os.environ.get(CHECKPOINT_VARIABLE, "")
    try:
        seconds = float(word) if word else CHECKPOINT_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise UserError(f"{CHECKPOINT_VARIABLE}={word} is not a number of seconds of 0 or more")
    return seconds
