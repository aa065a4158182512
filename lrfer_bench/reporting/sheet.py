"""The same faces at every scale under every protocol, and restored.

Only from data sets whose faces may be shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from lrfer_bench.errors import UserError
from lrfer_bench.reporting.draw import canvas, plain, styled

Images = NDArray[np.uint8]
Shown = Mapping[str, Mapping[int, Images]]
WINDOW = 7
"""Side of the window of SSIM in pixels."""
FACE = 0.6
"""Inches of a face."""
GAP = 0.06
"""Between two faces, in faces."""


def psnr(a: Images, b: Images) -> float:
    """Peak signal-to-noise ratio in dB of two uint8 images [C, H, W]; inf when they are equal."""
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(a: Images, b: Images, window: int = WINDOW) -> float:
    """Structural similarity of two uint8 images [C, H, W], channels averaged.

    Wang et al. (2004) with a uniform window, K1 0.01, K2 0.03 and sample covariances, over whole
    windows only: what scikit-image's structural_similarity gives by default. ValueError when a
    side is shorter than the window.
    """
    if min(a.shape[1:]) < window:
        raise ValueError(
            f"an image of {a.shape[1]} x {a.shape[2]} pixels is smaller than the window of {window}"
        )
    x, y = a.astype(np.float64), b.astype(np.float64)
    mx, my = _mean(x, window), _mean(y, window)
    fair = window**2 / (window**2 - 1)
    vx, vy = fair * (_mean(x * x, window) - mx**2), fair * (_mean(y * y, window) - my**2)
    vxy = fair * (_mean(x * y, window) - mx * my)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(
        np.mean((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    )


def _mean(image: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    views = np.lib.stride_tricks.sliding_window_view(image, (window, window), axis=(1, 2))
    return np.asarray(views.mean(axis=(-1, -2)))


def check_showable(showable: bool) -> None:
    """UserError unless the faces may be shown: most FER data sets forbid it."""
    if not showable:
        raise UserError(
            "the faces of this data set may not be shown: use SynthFace, or say --show-faces "
            "for a set of your own"
        )


def sheet(
    hr: Images,
    low: Shown,
    restored: Shown | None = None,
    *,
    title: str,
    showable: bool,
    synthetic: bool = False,
) -> Figure:
    """A row a protocol, then a row a restoring method: the HR faces, then the same at each scale.

    hr: [F, C, H, W] of F faces
    low: protocol -> scale -> [F, C, h, w], drawn pixel by pixel at the size of HR
    restored: method -> scale -> [F, C, H, W], with the mean PSNR in dB and SSIM of the faces shown

    Raises UserError unless showable.
    """
    check_showable(showable)
    rows = [(name, by, False) for name, by in low.items()] + [
        (name, by, True) for name, by in (restored or {}).items()
    ]
    scales = sorted({scale for _, by, _ in rows for scale in by})
    columns = len(scales) + 1
    with styled():
        board = canvas(
            len(rows) * columns,
            columns,
            (0.25 + FACE * len(hr), FACE + (0.2 if restored else 0.06)),
            (1.1, 0.5),
        )
        for row, (name, by, is_restored) in enumerate(rows):
            panels = board.axes[row * columns : (row + 1) * columns]
            _strip(panels[0], hr, f"HR, {hr.shape[-1]} px" if row == 0 else "")
            panels[0].set_ylabel(
                plain(_wrapped(name)), rotation=0, ha="right", va="center", fontsize=8
            )
            for axes, scale in zip(panels[1:], scales, strict=True):
                images = by.get(scale)
                head = f"x{scale}, {_pixels(low, scale)} px" if row == 0 else ""
                _strip(
                    axes,
                    images,
                    f"{head}\n{_likeness(images, hr)}".strip() if is_restored else head,
                )
        board.figure.suptitle(
            plain(title + (" (synthetic faces)" if synthetic else "")), fontsize=10.5
        )
    return board.figure


def _wrapped(name: str) -> str:
    """ "cascade of bicubic@1" on two lines."""
    return name.replace(" of ", "\nof ")


def _pixels(low: Shown, scale: int) -> int:
    return next((by[scale].shape[-1] for by in low.values() if scale in by), 0)


def _likeness(images: Images | None, hr: Images) -> str:
    """Means over the faces shown; SSIM only where its window fits into a face."""
    if images is None:
        return ""
    noise = np.mean([psnr(a, b) for a, b in zip(images, hr, strict=True)])
    if min(hr.shape[-2:]) < WINDOW:
        return f"{noise:.1f} dB"
    likeness = np.mean([ssim(a, b) for a, b in zip(images, hr, strict=True)])
    return f"{noise:.1f} dB, SSIM {likeness:.2f}"


def _strip(axes: Axes, images: Images | None, caption: str) -> None:
    """Faces side by side, each one unit wide, or an empty place."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for k, image in enumerate(() if images is None else images):
        left = k * (1 + GAP)
        axes.imshow(
            image[0] if len(image) == 1 else image.transpose(1, 2, 0),
            cmap="gray",
            vmin=0,
            vmax=255,
            interpolation="nearest",
            extent=(left, left + 1, 0, image.shape[1] / image.shape[2]),
        )
        axes.set_xlim(0, left + 1)
    if images is None:
        axes.text(
            0.5, 0.5, "no model", ha="center", va="center", fontsize=8, transform=axes.transAxes
        )
    if caption:
        axes.set_title(plain(caption), fontsize=8)
