"""SynthFace: an embedded data set of rendered expression faces, and the door to its renderer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from lrfer_bench.api import Dataset, DatasetCard, FaceSet, read_card, register_dataset
from lrfer_bench.datasets.synthface_render.expressions import CLASSES
from lrfer_bench.datasets.synthface_render.generate import TAKES, write_folder
from lrfer_bench.datasets.synthface_render.shipped import PATH, unpack


@register_dataset("synthface")
class SynthFace(Dataset):
    """6,300 rendered faces of 450 invented people, shipped with the package."""

    card: ClassVar[DatasetCard] = read_card(
        Path(__file__).with_name("synthface.card.toml"), DatasetCard
    )
    needs_root: ClassVar[bool] = False

    def sources(self, root: Path | None) -> Sequence[Path]:
        return [PATH]

    def load(self, root: Path | None) -> FaceSet:
        """The shipped set, grey [N, 1, 48, 48]; `root` is not used."""
        return FaceSet("synthface", CLASSES, unpack(), synthetic=True).check()

    def render(
        self,
        out: Path,
        size: int = 48,
        identities: int = 9,
        seed: int = 0,
        colour: bool = False,
        photographs: int = TAKES,
        tick: Callable[[int, int], None] | None = None,
    ) -> int:
        """Render faces in the `folder` layout, with ground_truth.csv; returns how many.

        size: 8..224 pixels; photographs: of each identity and class. The people of one seed are
        numbered: more identities add to the same ones. tick(done, all) is called after each face.
        UserError for wrong values; nothing is written then.
        """
        return write_folder(Path(out), size, identities, seed, colour, photographs, tick)
