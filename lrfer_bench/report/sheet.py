"""The same faces at every scale under every protocol, and restored; only from data sets whose faces may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lrfer_bench.errors import UserError
from lrfer_bench.report.draw import canvas, plain, styled

Images = NDArray[np.uint8]
Shown = Mapping[str, Mapping[int, Images]]


def psnr(a: Images, b: Images) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 images [C, H, W]; inf when they are equal."""
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(a: Images, b: Images, window: int = 7) -> float:
    """Structural similarity of two uint8 images [C, H, W], channels averaged.

    Wang et al. (2004) with a uniform window, K1 0.01, K2 0.03 and sample covariances, over whole windows only: what
    scikit-image's structural_similarity gives by default. ValueError when a side is shorter than the window.
    """
    if min(a.shape[1:]) < window:
        raise ValueError(f"an image of {a.shape[1]} x {a.shape[2]} pixels is smaller than the window of {window}")
    x, y = a.astype(np.float64), b.astype(np.float64)
    mx, my = _mean(x, window), _mean(y, window)
    fair = window**2 / (window**2 - 1)
    vx, vy = fair * (_mean(x * x, window) - mx**2), fair * (_mean(y * y, window) - my**2)
    vxy = fair * (_mean(x * y, window) - mx * my)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(np.mean((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))))


def _mean(image: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    views = np.lib.stride_tricks.sliding_window_view(image, (window, window), axis=(1, 2))
    return np.asarray(views.mean(axis=(-1, -2)))


def sheet(
    hr: Images,
    low: Shown,
    restored: Shown | None = None,
    *,
    title: str,
    showable: bool,
    synthetic: bool = False,
) -> Figure:
    """Faces by protocol and scale, HR first, nearest-neighbour enlarged; restored ones with mean PSNR and SSIM.

    hr: [F, C, H, W] of F faces; low: protocol -> scale -> [F, C, h, w]; restored: method -> scale -> [F, C, H, W].
    UserError unless showable: most FER data sets forbid showing their faces.
    """
    if not showable:
        raise UserError(
            "the faces of this data set may not be shown: use SynthFace, or say --show-faces for a set of your own"
        )
    columns = _columns(low, restored or {})
    faces = len(hr)
    with styled():
        board = canvas(faces * (len(columns) + 1), len(columns) + 1, (1.15, 1.2), (0.2, 0.6))
        for row in range(faces):
            start = row * (len(columns) + 1)
            _face(board.axes[start], hr[row], f"HR {hr.shape[-1]} px" if row == 0 else "")
            for k, (name, images, is_restored) in enumerate(columns):
                caption = _caption(name, images, hr if is_restored else None) if row == 0 else ""
                _face(board.axes[start + 1 + k], images[row], caption)
        board.figure.suptitle(plain(title + (" (synthetic faces)" if synthetic else "")), fontsize=10.5)
    return board.figure


def _columns(low: Shown, restored: Shown) -> Sequence[tuple[str, Images, bool]]:
    found = [(f"{name}\nx{scale}", images, False) for name, by in low.items() for scale, images in sorted(by.items())]
    return found + [
        (f"{name}\nx{scale}", images, True) for name, by in restored.items() for scale, images in sorted(by.items())
    ]


def _caption(name: str, images: Images, hr: Images | None) -> str:
    if hr is None:
        return f"{name} ({images.shape[-1]} px)"
    noise = np.mean([psnr(a, b) for a, b in zip(images, hr, strict=True)])
    likeness = np.mean([ssim(a, b) for a, b in zip(images, hr, strict=True)])
    return f"{name}\n{noise:.1f} dB, {likeness:.2f}"


def _face(axes: Axes, image: Images, caption: str) -> None:
    axes.imshow(image[0] if len(image) == 1 else image.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=255,
                interpolation="nearest")  # fmt: skip
    axes.set_axis_off()
    if caption:
        axes.set_title(plain(caption), fontsize=6.5)
