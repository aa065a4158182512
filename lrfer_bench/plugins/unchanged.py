"""What the plugin file of an imported class asks before it imports the class's module."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from lrfer_bench.errors import MachineError
from lrfer_bench.files import SOURCE_BYTES, read_limited


def unchanged(module: str, digest: str) -> None:
    """MachineError if a module's file is another than when its class was handed over.

    Its key names the file as it was then. digest: the sha256 of the file. A module that is not
    found is left to the import.
    """
    spec = find_spec(module)
    if spec is None or not spec.origin:
        return
    try:
        now = hashlib.sha256(read_limited(Path(spec.origin), SOURCE_BYTES)).hexdigest()
    except (OSError, ValueError) as error:
        raise MachineError(
            f"the file {spec.origin} cannot be read ({error}): the class of {module} that the run "
            "began with is in it; put it back and start the run again"
        ) from error
    if now != digest:
        raise MachineError(
            f"the file {spec.origin} has changed since the run began with it: start the run again"
        )
