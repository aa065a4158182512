"""CovPoolNet: its sizes, and its arithmetic against numpy."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from lrfer_bench.nets.covpool import CovPoolNet, covariance, log_eigen, whiten


def test_covpool_has_the_sizes_of_the_code() -> None:
    with torch.device("meta"):
        net = CovPoolNet(7, 3)
        linear = [tuple(m.weight.shape) for m in net.modules() if isinstance(m, nn.Linear)]
    assert linear == [(2000, 16384), (128, 2000), (7, 128), (7, 7)]
    assert tuple(net.bimap.shape) == (256, 128)
    net = CovPoolNet(7, 1, hidden=8).eval()
    with torch.no_grad():
        maps = net.maps(torch.rand(2, 1, 48, 48))
    assert maps[-2].shape == (2, 256, 12, 12)
    torch.testing.assert_close(net.bimap.T @ net.bimap, torch.eye(128), atol=1e-4, rtol=0)


def test_whitening_and_covariance_by_numpy() -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(2, 3, 5, 5)).astype(np.float32)
    images[1] = 0.25
    found = whiten(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(
        found[0], (images[0] - images[0].mean()) / images[0].std(), atol=1e-5
    )
    np.testing.assert_allclose(found[1], 0.0, atol=1e-5)
    features = rng.normal(size=(1, 4, 3, 3)).astype(np.float32)
    expected = np.cov(features[0].reshape(4, 9))
    expected += 1e-4 * np.trace(expected) * np.eye(4)
    np.testing.assert_allclose(
        covariance(torch.from_numpy(features))[0].numpy(), expected, atol=1e-5
    )


def test_log_of_eigenvalues_and_its_gradient_even_where_they_meet() -> None:
    rng = np.random.default_rng(0)
    square = rng.normal(size=(5, 5))
    matrix = square @ square.T + 0.1 * np.eye(5)
    values, vectors = np.linalg.eigh(matrix)
    found = log_eigen(torch.from_numpy(matrix)[None])[0].numpy()
    np.testing.assert_allclose(found, vectors @ np.diag(np.log(values)) @ vectors.T, atol=1e-9)
    clipped = log_eigen(torch.zeros(1, 3, 3, dtype=torch.float64))[0]
    np.testing.assert_allclose(clipped.numpy(), np.log(1e-4) * np.eye(3), atol=1e-9)
    batch = torch.from_numpy(np.stack([matrix, 2.0 * np.eye(5)])).requires_grad_(True)
    assert torch.autograd.gradcheck(
        lambda m: log_eigen((m + m.transpose(1, 2)) / 2), (batch,), atol=1e-5
    )


def test_the_gradient_of_the_logarithm_holds_where_eigenvalues_nearly_meet() -> None:
    """Of diag(v, v (1 + e)): off the diagonal, the slope is log1p(e) / (v e).

    That is the divided difference.
    """
    value, apart = 3e-3, 1e-5
    matrix = torch.diag(torch.tensor([value, value * (1 + apart)]))[None].requires_grad_(True)
    log_eigen(matrix)[0, 0, 1].backward()
    gap = float(matrix[0, 1, 1].detach()) / float(matrix[0, 0, 0].detach()) - 1
    expected = (
        np.log1p(gap) / (float(matrix[0, 0, 0].detach()) * gap) / 2
    )  # half of it for each of both places
    assert matrix.grad is not None
    np.testing.assert_allclose(matrix.grad[0, 0, 1].item(), expected, rtol=1e-5)
