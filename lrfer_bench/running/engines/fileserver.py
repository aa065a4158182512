"""Serves prepared data sets from the machine that has them to nodes of a cluster, in pieces.

Memory is bounded by pieces, not by data sets. It runs as an actor of its own and needs no torch.
"""

from __future__ import annotations

from pathlib import Path

PIECE = 64 * 2**20


class FileServer:
    """Reads the files of one prepared data set; no other folder is served."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def listing(self) -> dict[str, int]:
        """Name -> size in bytes of each file."""
        return {
            path.name: path.stat().st_size for path in self._directory.iterdir() if path.is_file()
        }

    def read(self, name: str, start: int) -> bytes:
        """At most PIECE bytes of a file, from start on."""
        with open(self._directory / Path(name).name, "rb") as file:
            file.seek(start)
            return file.read(PIECE)
