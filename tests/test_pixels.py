import numpy as np
import torch

from lrfer_bench.pixels import flip_and_shift


def test_flip_and_shift_against_numpy_padding() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (5, 3, 8, 9), dtype=np.uint8)
    flips, dy, dx = (
        np.array([0, 1, 0, 1, 1], bool),
        np.array([0, 2, 4, 1, 3]),
        np.array([4, 2, 0, 3, 1]),
    )
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), mode="edge")
    for k in range(5):
        whole = padded[k, :, :, ::-1] if flips[k] else padded[k]  # mirrored first, then moved
        crop = whole[:, dy[k] : dy[k] + 8, dx[k] : dx[k] + 9]
        ours = flip_and_shift(*(torch.from_numpy(a) for a in (images, flips, dy, dx)), 2)[k].numpy()
        assert (ours == crop).all()
