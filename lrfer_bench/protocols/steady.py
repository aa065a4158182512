"""Whether a protocol makes the same bytes of the same faces and seeds, each time and alone.

If it did not, methods would be tested on different faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lrfer_bench.machine.generators import generators_kept

if TYPE_CHECKING:
    from torch import Tensor

    from lrfer_bench.contract.protocol import Protocol

OWN_DRAWS = (
    "draw all that is random from a generator made of the face's seed, such as "
    "torch.Generator().manual_seed(seed)"
)
FEW = 0.01
"""Share of pixels that may differ by one grey level with the size of a batch.

Sums of a processor round so; what is drawn or computed from other faces shows in far more.
"""


def fault(protocol: Protocol, faces: Tensor, seeds: Tensor, scale: int) -> str:
    """What is wrong and what to do, "" where nothing is; raises what degrade() does.

    faces: uint8 [B, C, H, W] of two faces or more; seeds: int64 [B]
    """
    with generators_kept() as moved_since:
        first = protocol.apply(faces, scale, seeds.clone())
        moved = moved_since()
        again = protocol.apply(faces, scale, seeds.clone())
        if moved:
            return (
                f"seeds or draws from the global generator of {moved}, so that it disturbs "
                f"trainings, and they its faces: {OWN_DRAWS}"
            )
        if not first.equal(again):
            return (
                "makes other bytes of the same faces and seeds each time, so that methods would "
                f"be tested on different faces: {OWN_DRAWS}"
            )
        return _alone(protocol, faces, seeds, scale, first)


def _alone(protocol: Protocol, faces: Tensor, seeds: Tensor, scale: int, together: Tensor) -> str:
    """fault() of a face whose batch holds no other."""
    for row in range(len(faces)):
        only = slice(row, row + 1)
        try:
            alone = protocol.apply(faces[only], scale, seeds[only].clone())
        except Exception as error:
            return (
                f"fails on a batch of one face ({type(error).__name__}: {error}): make it work "
                "on batches of any size"
            )
        apart = (alone.int() - together[only].int()).abs()
        if int(apart.max()) > 1 or float((apart > 0).float().mean()) > FEW:
            return (
                "makes other bytes of a face when others are in its batch: make each face of its "
                f"own pixels and seed alone, and {OWN_DRAWS}"
            )
    return ""
