"""Muon against singular value decompositions in numpy and momentum worked out by hand."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from lrfer_bench.contract.muon import (
    MARGIN,
    POLYNOMIALS,
    Muon,
    semi_orthogonal,
    semi_orthogonal_all,
)

Array = NDArray[np.float64]


def factor(matrix: Array) -> Array:
    """U p(S) V^T with p the polynomials one after the other, on the singular values themselves."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    s = s / (np.sqrt((s**2).sum() * MARGIN) or 1.0)
    for a, b, c in POLYNOMIALS:
        s = a * s + b * s**3 + c * s**5
    return (u * s) @ v


def uneven(rows: int, columns: int, seed: int = 0) -> Array:
    """A matrix whose singular values fall from 1 to 0.005."""
    rng = np.random.default_rng(seed)
    u, _, v = np.linalg.svd(rng.normal(size=(rows, columns)), full_matrices=False)
    return (u * np.geomspace(1.0, 0.005, min(rows, columns))) @ v


def test_the_polynomials_take_a_thousandth_to_one_near_one() -> None:
    values = np.geomspace(1e-3, 1.0, 5001)
    for a, b, c in POLYNOMIALS:
        values = a * values + b * values**3 + c * values**5
        assert values.min() + values.max() == pytest.approx(2.0, abs=1e-3), (
            "each step is the best one"
        )
    assert values.min() > 0.876 and values.max() < 1.124


@pytest.mark.parametrize("shape", [(8, 8), (16, 144), (64, 9), (256, 128), (5, 1), (1, 7)])
def test_semi_orthogonal_is_the_orthogonal_factor_of_the_svd(shape: tuple[int, int]) -> None:
    matrix = uneven(*shape)
    found = semi_orthogonal(torch.from_numpy(matrix).float()).double().numpy()
    np.testing.assert_allclose(found, factor(matrix), atol=2e-3)
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    turned = u.T @ found @ v.T
    assert np.abs(turned - np.eye(len(turned))).max() < 0.13


def test_semi_orthogonal_of_nothing_and_of_few_directions() -> None:
    assert torch.equal(semi_orthogonal(torch.zeros(3, 5)), torch.zeros(3, 5))
    one = torch.outer(torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0, 0.0]))
    expected = torch.tensor([[0.0, 0.6, 0.0], [0.0, 0.8, 0.0]])
    torch.testing.assert_close(semi_orthogonal(one), expected, atol=0.13, rtol=0)
    for scale in (1e-12, 1e12):
        small = torch.from_numpy(uneven(4, 6)).float()
        torch.testing.assert_close(
            semi_orthogonal(scale * small), semi_orthogonal(small), atol=1e-3, rtol=0
        )


@pytest.mark.parametrize("shape", [(6, 3, 3, 3), (20, 2, 3, 3), (4, 7, 1, 1)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_three_steps_by_hand(shape: tuple[int, ...], layout: torch.memory_format) -> None:
    rng = np.random.default_rng(1)
    out, fan_in = shape[0], int(np.prod(shape[1:]))
    start = rng.normal(size=shape)
    weight = nn.Parameter(torch.from_numpy(start).float().contiguous(memory_format=layout))
    optimizer = Muon([weight], lr=0.3)
    expected, mean = start.reshape(out, fan_in), np.zeros((out, fan_in))
    for number in range(3):
        gradient = uneven(out, fan_in, seed=number)
        weight.grad = (
            torch.from_numpy(gradient.reshape(shape)).float().contiguous(memory_format=layout)
        )
        optimizer.step()
        mean = 0.9 * mean + gradient
        update = factor(gradient + 0.9 * mean)
        expected = expected * np.sqrt(out) / np.linalg.norm(expected)
        expected = expected - 0.3 * np.sqrt(max(1.0, out / fan_in)) * update
        found = weight.detach().double().numpy().reshape(out, fan_in)
        np.testing.assert_allclose(found, expected, atol=3e-3)
    assert weight.is_contiguous(memory_format=layout)


def test_a_step_of_rate_zero_only_sets_the_norm() -> None:
    weight = nn.Parameter(torch.randn(9, 4, 3, 3))
    direction = weight.detach() / weight.detach().norm()
    optimizer = Muon([weight], lr=0.0)
    weight.grad = torch.randn_like(weight)
    optimizer.step()
    torch.testing.assert_close(weight.detach(), 3.0 * direction)


def test_a_weight_without_gradient_is_left_alone_and_zeros_make_no_nan() -> None:
    idle, still = nn.Parameter(torch.randn(4, 3)), nn.Parameter(torch.zeros(4, 3))
    before = idle.detach().clone()
    still.grad = torch.zeros_like(still)
    Muon([idle, still], lr=0.1).step()
    assert torch.equal(idle, before) and torch.equal(still, torch.zeros(4, 3))


def test_vectors_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more axes"):
        Muon([nn.Parameter(torch.zeros(4))], lr=0.1)


def moved(weight: nn.Parameter, optimizer: Muon, steps: range) -> torch.Tensor:
    for number in steps:
        generator = torch.Generator().manual_seed(number)
        gradient = torch.randn(weight.shape, generator=generator)
        weight.grad = gradient.contiguous(memory_format=torch.channels_last)
        optimizer.step()
    return weight.detach()


def fresh() -> tuple[nn.Parameter, Muon]:
    torch.manual_seed(3)
    weight = nn.Parameter(torch.randn(8, 4, 3, 3).contiguous(memory_format=torch.channels_last))
    return weight, Muon([weight], lr=0.02)


def test_a_stored_state_goes_on_with_the_same_bits() -> None:
    whole = moved(*fresh(), range(6))
    weight, optimizer = fresh()
    moved(weight, optimizer, range(3))
    file = io.BytesIO()
    torch.save({"weight": weight.detach(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    stored = torch.load(file, weights_only=True)
    other, resumed = fresh()
    with torch.no_grad():
        other.copy_(stored["weight"])
    resumed.load_state_dict(stored["optimizer"])
    assert torch.equal(moved(other, resumed, range(3, 6)), whole)


def test_a_copy_goes_its_own_way() -> None:
    weight, optimizer = fresh()
    moved(weight, optimizer, range(2))
    both: tuple[nn.Parameter, Muon] = copy.deepcopy((weight, optimizer))
    assert both[1].param_groups[0]["params"][0] is both[0]
    assert torch.equal(moved(*both, range(2, 4)), moved(weight, optimizer, range(2, 4)))


@pytest.mark.parametrize("shape", [(16, 144), (64, 9), (5, 1)])
def test_several_matrices_at_once_are_the_same(shape: tuple[int, int]) -> None:
    matrices = torch.stack([torch.from_numpy(uneven(*shape, seed)).float() for seed in range(3)])
    alone = torch.stack([semi_orthogonal(matrix) for matrix in matrices])
    torch.testing.assert_close(semi_orthogonal_all(matrices), alone, rtol=0, atol=2e-4)


@pytest.mark.parametrize("last", [False, True])
def test_the_way_of_a_gpu_takes_the_same_steps(last: bool) -> None:
    layout = torch.channels_last if last else torch.contiguous_format
    torch.manual_seed(0)
    ours = [torch.randn(8, 6, 3, 3).to(memory_format=layout) for _ in range(3)]
    theirs = [weight.clone() for weight in ours]
    together, alone = Muon(ours, lr=0.02), Muon(theirs, lr=0.02)
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(8, 6, 3, 3)  # in another order in memory than the weight
            other.grad = one.grad.clone()
        with torch.no_grad():
            together._update_alike(ours, 0.02, 0.9)
        alone.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)
