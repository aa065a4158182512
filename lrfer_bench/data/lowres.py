"""LR images of a split: made once per protocol and scale, shared by every method.

They are kept beside the prepared data set.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lrfer_bench.contract.condition import Condition
from lrfer_bench.contract.protocol import Protocol
from lrfer_bench.data.cache import Prepared
from lrfer_bench.data.sums import sum_path
from lrfer_bench.errors import MachineError
from lrfer_bench.files import CACHE_VARIABLE, is_forbidden, replacing
from lrfer_bench.keys import seed_for
from lrfer_bench.plugins.degradation import code_of, protocol_of
from lrfer_bench.protocols.golden import protocol_hash

CHUNK = 256


def image_seeds(fingerprint: str, split: str, scale: int, count: int) -> torch.Tensor:
    """int64 [count]: one seed an image, from names alone.

    So every method and machine draws the same camera.
    """
    return torch.tensor([seed_for(fingerprint, split, scale, row) for row in range(count)])


def lr_images(prepared: Prepared, split: str, condition: Condition) -> NDArray[np.uint8]:
    """uint8 [N, C, h, w] of a split under a condition of one scale; at scale 1 the HR images.

    The array is read-only and memory-mapped; where the cache may not be written it is in memory.
    """
    images = prepared.faces.splits[split].images
    if condition.is_hr:
        return images
    protocol, scale = protocol_of(condition.protocol), condition.scale
    # The hash of what the protocol makes of its golden picture stands in the name: another torch,
    # other pixels, other file. A golden picture does not show all that an edit may change, and a
    # plugin's protocol need not take it at all.
    code = code_of(condition.protocol)[:8]
    made_by = protocol_hash(protocol)[:8] + (f"-{code}" if code else "")
    name = f"{split}.{condition.protocol}.x{scale}.{made_by}.npy"
    path = prepared.directory / "lr" / name
    if not (path.exists() and sum_path(path).exists()):
        seeds = image_seeds(prepared.fingerprint, split, scale, len(images))
        made = _degrade(images, protocol, scale, seeds)
        if not _write(path, made):
            return made
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # removed or damaged since it was checked, at the start of the run
        raise MachineError(
            f"the LR images {path} cannot be read ({type(error).__name__}): run again, then they "
            "are checked and made anew"
        ) from error


def _degrade(
    images: NDArray[np.uint8], protocol: Protocol, scale: int, seeds: torch.Tensor
) -> NDArray[np.uint8]:
    parts = []
    for start in range(0, len(images), CHUNK):
        hr = torch.from_numpy(np.array(images[start : start + CHUNK]))
        parts.append(protocol.apply(hr, scale, seeds[start : start + CHUNK]).numpy())
    return np.concatenate(parts)


def _write(path: Path, array: NDArray[np.uint8]) -> bool:
    """Whether it was written: a cache that others share may be read-only for this user.

    Two workers that make the same file make the same bytes, so either may win.
    """
    buffer = io.BytesIO()
    np.save(buffer, array)
    data = buffer.getvalue()
    try:  # the checksum first: an array without one is made anew
        for target, content in (
            (sum_path(path), hashlib.sha256(data).hexdigest().encode()),
            (path, data),
        ):
            with replacing(target) as file:
                file.write(content)
    except OSError as error:
        if is_forbidden(error):
            return False
        raise MachineError(
            f"cannot write {path}: {error.strerror or error}; free some space or set "
            f"{CACHE_VARIABLE} to another folder"
        ) from error
    return True
