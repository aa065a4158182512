"""Golden arrays: what each protocol version makes of one made-up picture.

With them no change of pixels goes unseen. `python -m lrfer_bench.protocols.golden` writes
golden.npz anew; do that only together with a raised protocol version. (Once it was done without:
area@1 where the scale does not divide a side, of which there were no published records.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.blame import place_of
from lrfer_bench.plugins.degradation import protocol_of

if TYPE_CHECKING:
    from lrfer_bench.contract.protocol import Protocol

FILE = Path(__file__).with_name("golden.npz")
SCALES = (2, 3, 4, 8)
SIZE = (50, 48)
SEEDS = (11, 12)


def picture() -> NDArray[np.uint8]:
    """uint8 [2, 3, 50, 48]: rings, edges and noise.

    They come from integer arithmetic only, so that every machine has the same.
    """
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.int64)
    rings = ((y - 20) ** 2 + (x - 25) ** 2) * 7 // 5 % 256
    noise = (y * 7919 + x * 104729 + (y * x) % 251 * 31) % 256
    edges = np.where((x // 5 + y // 7) % 2 == 0, 240, 15)
    first = np.stack([rings, edges, noise])
    return np.stack([first, 255 - first[::-1, ::-1]]).astype(np.uint8)


def outputs(protocol: Protocol) -> dict[int, NDArray[np.uint8]]:
    """scale -> LR pictures uint8 [2, 3, h, w] of the golden picture under fixed seeds."""
    return {scale: _output(protocol, scale) for scale in SCALES}


def _output(protocol: Protocol, scale: int) -> NDArray[np.uint8]:
    import torch

    lr: NDArray[np.uint8] = protocol.apply(
        torch.from_numpy(picture()), scale, torch.tensor(SEEDS)
    ).numpy()
    return lr


def opened(name: str, scales: Iterable[int] = SCALES) -> Protocol:
    """The protocol of a name or id; UserError where protocol_of() or check_steady() has one."""
    protocol = protocol_of(name)
    check_steady(protocol, scales)
    return protocol


def check_steady(protocol: Protocol, scales: Iterable[int] = SCALES) -> None:
    """UserError for a protocol of a plugin that is not the same each time, or moves others' dice.

    It is tried on the golden picture or, where it cannot take that, on grey ones. What fails on all
    of them is passed over: the faces that it is meant for may be of another kind.
    """
    if not protocol.guarded:
        return
    found = _fault(type(protocol), tuple(sorted(scale for scale in set(scales) if scale > 1)))
    if found:
        place = place_of(type(protocol), "degrade")
        raise UserError(f"protocol {protocol.id} cannot be used: it {found} ({place})")


@lru_cache(maxsize=64)
def _fault(kind: type[Protocol], scales: tuple[int, ...]) -> str:
    """Asked once a process: each cell that is tested comes by here."""
    import torch

    from lrfer_bench.protocols.steady import fault

    protocol, colour = kind(), torch.from_numpy(picture())
    for scale in scales:
        for faces in (colour, colour[:, :1], colour[:, :1, :48]):
            with suppress(Exception):
                if found := fault(protocol, faces.contiguous(), torch.tensor(SEEDS), scale):
                    return found
                break
    return ""


def tried(protocol: Protocol) -> tuple[dict[int, NDArray[np.uint8]], dict[int, str]]:
    """(outputs() of the scales that it can do, scale -> why not for the others).

    A protocol of a plugin need not take colour, a picture of this size or each of these scales:
    what it makes of a data set's faces is another matter.
    """
    made, refused = {}, {}
    for scale in SCALES:
        try:
            made[scale] = _output(protocol, scale)
        except Exception as error:
            why = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            refused[scale] = why + " ".join(str(error).split())
    return made, refused


def protocol_hash(protocol: Protocol) -> str:
    """The first 16 hexadecimal digits of sha256 over all golden outputs on this machine.

    A scale at which there is none counts as "none". UserError where check_steady() has one.
    """
    check_steady(protocol)
    made = tried(protocol)[0]
    digest = hashlib.sha256(protocol.id.encode())
    for scale in SCALES:
        lr = made[scale].tobytes() if scale in made else b"none"
        digest.update(f"x{scale}".encode() + lr)
    return digest.hexdigest()[:16]


def compare(protocol: Protocol) -> tuple[int, float]:
    """(largest difference in grey levels, share of differing pixels) against the stored arrays.

    It is (-1, 1.0) if none are stored.
    """
    with np.load(FILE) as stored:
        names = {scale: f"{protocol.id}/x{scale}" for scale in SCALES}
        if not all(name in stored for name in names.values()):
            return -1, 1.0
        differences = [
            np.abs(lr.astype(np.int16) - stored[names[scale]].astype(np.int16))
            for scale, lr in outputs(protocol).items()
        ]
    flat = np.concatenate([difference.ravel() for difference in differences])
    return int(flat.max()), float((flat > 0).mean())


def verdict(protocol: Protocol) -> str:
    """compare() as a sentence; UserError where check_steady() has one."""
    check_steady(protocol)
    largest, share = compare(protocol)
    if largest < 0:
        return "no golden arrays are kept for it" + _refused(protocol)
    if largest == 0:
        return "equal to its golden arrays"
    return (
        f"{100 * share:.2f} % of golden pixels differ, by up to {largest} grey levels: numbers may "
        "differ from published ones"
    )


def _refused(protocol: Protocol) -> str:
    """The tail of verdict(): at which scales there is no output, and the first reason."""
    refused = tried(protocol)[1]
    if not refused:
        return ""
    scales = ", ".join(f"x{scale}" for scale in refused)
    first, why = next(iter(refused.items()))
    return (
        f"; it makes nothing of the golden picture (colour, {SIZE[1]}x{SIZE[0]} pixels) at "
        f"{scales} (x{first}: {why}), which faces of another kind need not meet"
    )


def write() -> None:
    from lrfer_bench.plugins.registry import PROTOCOLS

    arrays: dict[str, Any] = {}
    for entry in PROTOCOLS:
        protocol = entry.load()()
        arrays |= {f"{protocol.id}/x{scale}": lr for scale, lr in outputs(protocol).items()}
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    write()
