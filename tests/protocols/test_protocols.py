"""Every protocol through one suite.

Each filter is held against another implementation or numbers worked out by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from lrfer_bench.contract.protocol import Protocol, check_scale, lr_size
from lrfer_bench.errors import UserError
from lrfer_bench.pixels import resize, resize_axis, resize_axis_in_parts
from lrfer_bench.plugins.registry import PROTOCOLS
from lrfer_bench.protocols.golden import compare, outputs, picture, protocol_hash
from lrfer_bench.protocols.resample import Area, Bicubic, BicubicNoAntialias
from lrfer_bench.training.arithmetic import capability

NAMES = PROTOCOLS.names()


@pytest.fixture(params=NAMES)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return PROTOCOLS.load(request.param)()


def faces(
    count: int = 6, channels: int = 1, height: int = 48, width: int = 48, seed: int = 0
) -> torch.Tensor:
    """Smooth random pictures with some noise, like photographs rather than like static."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count * channels, 7, 7)).astype(np.uint8)
    smooth = [
        np.asarray(Image.fromarray(c).resize((width, height), Image.Resampling.BICUBIC), dtype=int)
        for c in coarse
    ]
    noisy = np.stack(smooth) + rng.integers(-12, 13, (count * channels, height, width))
    return torch.from_numpy(
        np.clip(noisy, 0, 255).astype(np.uint8).reshape(count, channels, height, width)
    )


def test_golden_arrays(protocol: Protocol) -> None:
    assert compare(protocol) == (0, 0.0), (
        f"{protocol.id} makes other pixels: raise its version, then renew golden.npz"
    )


def test_golden_arrays_catch_a_change_of_pixels() -> None:
    class Shifted(Bicubic):
        def degrade(self, hr, size, scale, seeds):  # type: ignore[no-untyped-def]
            return super().degrade(hr.roll(1, -1), size, scale, seeds)

    largest, share = compare(Shifted())
    assert largest > 10 and share > 0.5
    assert protocol_hash(Shifted()) != protocol_hash(Bicubic())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("side", "scale", "small"), [(48, 2, 24), (48, 8, 6), (100, 8, 13), (50, 3, 17), (48, 48, 1)]
)
def test_size_is_rounded_up(
    protocol: Protocol, channels: int, side: int, scale: int, small: int
) -> None:
    lr = protocol.apply(faces(2, channels, side, side), scale, torch.tensor([1, 2]))
    assert lr.dtype == torch.uint8
    assert tuple(lr.shape) == (2, channels, small, small)


def test_an_image_is_the_same_whatever_stands_beside_it(protocol: Protocol) -> None:
    hr, seeds = faces(6), torch.arange(6)
    together = protocol.apply(hr, 4, seeds)
    alone = torch.cat(
        [protocol.apply(hr[k : k + 1], 4, seeds[k : k + 1]) for k in reversed(range(6))]
    ).flip(0)
    assert torch.equal(together, alone)


def test_scale_1_is_the_hr_image_and_flat_faces_stay_flat(protocol: Protocol) -> None:
    hr = faces(2)
    assert torch.equal(protocol.apply(hr, 1, torch.tensor([0, 1])), hr)
    flat = torch.full((1, 1, 48, 48), 128, dtype=torch.uint8)
    lr = protocol.apply(flat, 4, torch.tensor([3])).float()
    assert abs(float(lr.mean()) - 128) < 6


@pytest.mark.parametrize("scale", [2, 3, 4, 5, 7, 8, 16, 48])
@pytest.mark.parametrize("channels", [1, 3])
def test_bicubic_equals_pillow(scale: int, channels: int) -> None:
    hr = faces(40, channels)
    ours = Bicubic().apply(hr, scale, torch.zeros(40, dtype=torch.int64)).numpy().astype(int)
    height, width = lr_size((48, 48), scale)
    theirs = np.stack(
        [
            np.asarray(
                Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC), dtype=int
            )
            for plane in hr.numpy().reshape(-1, 48, 48)
        ]
    ).reshape(ours.shape)
    assert (ours == theirs).all()


def test_bicubic_equals_pillow_on_real_faces(real_images: np.ndarray) -> None:
    hr = torch.from_numpy(real_images[:300, None].copy())
    for scale, side in ((2, 24), (4, 12), (8, 6)):
        ours = (
            Bicubic()
            .apply(hr, scale, torch.zeros(300, dtype=torch.int64))
            .numpy()[:, 0]
            .astype(int)
        )
        theirs = np.stack(
            [
                np.asarray(Image.fromarray(f).resize((side, side), Image.Resampling.BICUBIC))
                for f in real_images[:300]
            ]
        )
        assert (ours == theirs).all()


NOAA = BicubicNoAntialias()
ODD = [((50, 46), 3), ((50, 46), 4), ((47, 53), 2), ((37, 41), 5), ((100, 100), 7)]
"""Sizes that their scale does not divide, so that a filter's weights are no short fractions."""
ELSEWHERE = """
import hashlib, sys
import torch
from lrfer_bench.plugins.registry import PROTOCOLS
for name in sorted(PROTOCOLS.names()):
    drawn, digest = torch.Generator().manual_seed(0), hashlib.sha256()
    for height, width, scale in {odd}:
        faces = torch.randint(0, 256, (100, 1, height, width), generator=drawn).to(torch.uint8)
        lr = PROTOCOLS.load(name)().apply(faces, scale, torch.arange(100))
        digest.update(lr.numpy().tobytes())
    print(name, digest.hexdigest())
"""


def bytes_under(instructions: str) -> dict[str, str]:
    """Every protocol's hash over random faces of odd sizes, under these vector instructions."""
    probe = ELSEWHERE.format(odd=[(*size, scale) for size, scale in ODD])
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True,
        env={**os.environ, "ATEN_CPU_CAPABILITY": instructions},
    )  # fmt: skip
    return dict(line.split() for line in done.stdout.splitlines())


def test_the_same_bytes_on_processors_without_vector_instructions() -> None:
    plain = bytes_under("default")
    if capability() in ("DEFAULT", "NO AVX"):
        pytest.skip("this processor has no vector instructions to compare with")
    assert set(plain) >= set(NAMES)
    assert plain == bytes_under("avx2")


@pytest.mark.parametrize(("size", "scale"), [*ODD, ((48, 48), 4), ((48, 48), 3), ((96, 64), 8)])
def test_bicubic_without_antialiasing_is_torchs(size: tuple[int, int], scale: int) -> None:
    hr = torch.randint(0, 256, (100, 1, *size), dtype=torch.uint8)
    ours = NOAA.apply(hr, scale, torch.zeros(100)).int()
    theirs = F.interpolate(hr.float(), size=ours.shape[-2:], mode="bicubic")
    theirs = theirs.round().clamp(0, 255).int()
    assert int((ours - theirs).abs().max()) <= 1
    few = 1e-3 if size[0] % scale or size[1] % scale else 0  # torch's own differ by as much
    assert float((ours != theirs).float().mean()) <= few


@pytest.mark.parametrize(("size", "scale"), [*ODD, ((48, 48), 4)])
def test_bicubic_without_antialiasing_by_its_formula(size: tuple[int, int], scale: int) -> None:
    """Four taps of Keys' kernel in float64: equal, except where rounding has to break a tie."""
    hr = torch.randint(0, 256, (60, 1, *size), dtype=torch.uint8)
    ours = NOAA.apply(hr, scale, torch.zeros(60))[:, 0].numpy().astype(int)
    rows, columns = (keys_matrix(side, -(-side // scale)) for side in size)
    wanted = np.clip(rows @ hr[:, 0].numpy().astype(float) @ columns.T, 0, 255)
    clear = np.abs(wanted % 1 - 0.5) > 1e-3
    assert clear.mean() > 0.9 and (ours == np.rint(wanted))[clear].all()


def keys_matrix(source: int, target: int) -> np.ndarray:
    """float64 [target, source]: cubic convolution with a = -0.75, borders repeated."""
    made = np.zeros((target, source))
    for row in range(target):
        centre = (row + 0.5) * source / target - 0.5
        for at in range(int(np.floor(centre)) - 1, int(np.floor(centre)) + 3):
            x, a = abs(at - centre), -0.75
            inner = (a + 2) * x**3 - (a + 3) * x**2 + 1
            outer = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
            made[row, min(max(at, 0), source - 1)] += inner if x <= 1 else outer
    return made


@pytest.mark.parametrize("source", [6, 17, 48, 300, 1000])
@pytest.mark.parametrize("target", [5, 24, 48, 130])
def test_the_form_without_float64_makes_the_same_numbers(source: int, target: int) -> None:
    """For devices that have none; rows of more than 256 pixels are summed in pieces."""
    rows = torch.randint(0, 256, (60, source), dtype=torch.uint8)
    rows[:20] = rows[:20].gt(127) * 255  # overshoots, above and below
    ours, theirs = resize_axis_in_parts(rows, target), resize_axis(rows, target)
    assert torch.equal(ours.to(torch.float64), theirs)


def test_a_resize_is_exact_under_autocast() -> None:
    lr = faces(10, 1, 12, 12)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = resize(lr, (48, 48))
    assert torch.equal(cast, resize(lr, (48, 48)))


@pytest.mark.parametrize("size", [(48, 48), (97, 60)])
def test_enlarging_equals_pillow_too(size: tuple[int, int]) -> None:
    lr = faces(10, 3, 13, 12)
    ours = resize(lr, size).numpy()
    planes = [
        Image.fromarray(p).resize(size[::-1], Image.Resampling.BICUBIC)
        for p in lr.numpy().reshape(-1, 13, 12)
    ]
    assert (ours == np.stack([np.asarray(p) for p in planes]).reshape(ours.shape)).all()


def test_bicubic_without_antialias_has_four_taps_of_opencv() -> None:
    """At x4 OpenCV's INTER_CUBIC weighs pixels 0..3 of each 4 the same way (a = -0.75).

    The weights are -0.09375, 0.59375, 0.59375, -0.09375.
    """
    taps = np.array([-0.09375, 0.59375, 0.59375, -0.09375])
    hr = faces(3)
    blocks = hr.numpy().astype(float).reshape(3, 1, 12, 4, 12, 4)
    expected = np.einsum("bchywx,y,x->bchw", blocks, taps, taps).round().clip(0, 255)
    ours = BicubicNoAntialias().apply(hr, 4, torch.zeros(3, dtype=torch.int64)).numpy()
    assert np.abs(ours - expected).max() <= 1  # float32 against float64 at a half
    assert (ours == expected).mean() > 0.999


@pytest.mark.parametrize(("side", "scale"), [(48, 4), (48, 6), (50, 3), (100, 8)])
def test_area_equals_a_mean_taken_pixel_by_pixel(side: int, scale: int) -> None:
    hr = faces(2, 1, side, side)
    small = -(-side // scale)
    expected = np.empty((2, small, small))
    fine = (
        hr.numpy()[:, 0].repeat(small, 1).repeat(small, 2).astype(float)
    )  # every source pixel cut into small x small parts
    for y in range(small):
        for x in range(small):
            expected[:, y, x] = fine[:, y * side : (y + 1) * side, x * side : (x + 1) * side].mean(
                (1, 2)
            )
    ours = Area().apply(hr, scale, torch.zeros(2, dtype=torch.int64)).numpy()[:, 0]
    assert np.abs(ours - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize(("side", "scale"), [(48, 2), (48, 5), (50, 3), (50, 4), (20, 3)])
def test_area_rounds_exact_halves_to_even_on_every_processor(side: int, scale: int) -> None:
    """Means as fractions, for what a matrix product makes of a half depends on who made it."""
    hr = torch.randint(0, 2, (3, 1, side, side), generator=torch.Generator().manual_seed(0))
    hr = (hr * 255).to(torch.uint8)
    small = -(-side // scale)
    parts = hr.numpy()[:, 0].astype(object).repeat(small, 1).repeat(small, 2)
    sums = parts.reshape(3, small, side, small, side).sum((2, 4))
    expected = [round(Fraction(total, side * side)) for total in sums.ravel()]
    assert any(total % side**2 == side**2 // 2 for total in sums.ravel()), "no half to round"
    ours = Area().apply(hr, scale, torch.zeros(3, dtype=torch.int64)).numpy()
    assert ours.ravel().tolist() == expected


def test_camera_depends_on_its_seed_alone_and_varies_with_it() -> None:
    camera = PROTOCOLS.load("camera")()
    hr = faces(1).expand(8, -1, -1, -1)
    one = camera.apply(hr, 4, torch.arange(8))
    assert torch.equal(one, camera.apply(hr, 4, torch.arange(8)))
    assert len({face.numpy().tobytes() for face in one}) == 8
    clean = Area().apply(hr[:1], 4, torch.tensor([0])).float()
    error = (one.float() - clean).abs().mean((1, 2, 3))
    assert (
        bool((error > 0.5).all()) and float(error.mean()) < 20
    )  # a worse picture, of the same face


def test_a_protocol_that_returns_something_else_is_told_so() -> None:
    class Wrong(Protocol):
        name = "wrong"

        def degrade(self, hr, size, scale, seeds):  # type: ignore[no-untyped-def]
            return hr

    with pytest.raises(
        UserError, match=r"wrong@1 returned .* has to return uint8 \(2, 1, 12, 12\)"
    ):
        Wrong().apply(faces(2), 4, torch.zeros(2))


@pytest.mark.parametrize(
    ("scale", "words"), [(0, "not possible"), (-2, "not possible"), (49, "larger than the images")]
)
def test_impossible_scales(scale: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_scale(scale, (48, 48))


def test_golden_picture_is_fixed() -> None:
    assert picture().shape == (2, 3, 50, 48)
    assert int(picture().astype(np.int64).sum()) == int(picture().astype(np.int64)[:, ::-1].sum())
    assert set(outputs(Bicubic())) == {2, 3, 4, 8}
