"""Gates and blocks, recomputed from their weights.

Order of operations, what is looked at, where the sigmoid comes.
"""

from __future__ import annotations

from typing import Any

import by_numpy
import numpy as np
import pytest
import torch
from by_numpy import Array, number, numbers
from torch import nn

from lrfer_bench.methods.gmenet import MixedChannelBlock
from lrfer_bench.nets.attention import AttentionBlock, Gates
from lrfer_bench.nets.gan import RRDB, DenseBlock

CHANNELS = 8


def unsettled(module: nn.Module) -> Any:
    """Weights, offsets and running statistics with nothing at its neutral value, in test mode."""
    torch.manual_seed(0)
    with torch.no_grad():
        for value in module.state_dict().values():
            if value.is_floating_point():
                value.copy_(
                    torch.rand_like(value) + 0.5 if value.ndim == 1 else torch.randn_like(value)
                )
    return module.eval()


def example(channels: int = CHANNELS, batch: int = 2) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(batch, channels, 5, 4)


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def channel_values(gate: Any, x: Array) -> Array:
    first, last = (number(gate.mlp[at].weight)[:, :, 0, 0] for at in (0, 2))
    both = [relu(pooled @ first.T) @ last.T for pooled in (x.mean((2, 3)), x.max((2, 3)))]
    return (both[0] + both[1])[:, :, None, None]


def spatial_values(gate: Any, x: Array) -> Array:
    return by_numpy.conv(np.stack([x.mean(1), x.max(1)], 1), gate.conv)


@pytest.mark.parametrize("depthwise", [False, True], ids=["cbam", "depthwise"])
def test_gates_show_their_values_before_the_sigmoid(depthwise: bool) -> None:
    """CBAM's spatial gate looks at what the channel gate let through.

    The depthwise gates look side by side.
    """
    gates = unsettled(Gates(CHANNELS, depthwise=depthwise))
    x = number(example())
    if depthwise:
        seen = by_numpy.batch_norm(by_numpy.conv(x, gates.look[0], groups=CHANNELS), gates.look[1])
        channel, spatial = channel_values(gates.channel, seen), spatial_values(gates.spatial, seen)
    else:
        channel = channel_values(gates.channel, x)
        spatial = spatial_values(gates.spatial, x * by_numpy.sigmoid(channel))
    out, maps = gates.with_maps(example())
    np.testing.assert_allclose(number(maps[0]), channel, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(number(maps[1]), spatial, rtol=1e-4, atol=1e-4)
    expected = x * by_numpy.sigmoid(channel) * by_numpy.sigmoid(spatial)
    np.testing.assert_allclose(number(out), expected, rtol=1e-4, atol=1e-4)
    assert min(channel.min(), spatial.min()) < 0 and max(channel.max(), spatial.max()) > 1, (
        "no sigmoid's values"
    )


def test_the_gate_stands_in_the_residual_branch_before_the_sum() -> None:
    block = unsettled(AttentionBlock(CHANNELS, CHANNELS, 1, Gates(CHANNELS, depthwise=True)))
    x = number(example())
    inner = relu(by_numpy.batch_norm(by_numpy.conv(x, block.conv1), block.norm1))
    inner = by_numpy.batch_norm(by_numpy.conv(inner, block.conv2), block.norm2)
    with torch.no_grad():
        gated, maps = block.gate.with_maps(torch.from_numpy(inner).float())
        out, told = block.with_maps(example())
    np.testing.assert_allclose(number(out), relu(number(gated) + x), rtol=1e-3, atol=1e-3)
    for ours, theirs in zip(numbers(told), numbers(maps), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_mixed_channel_block_chains_its_groups_in_both_directions() -> None:
    block = unsettled(MixedChannelBlock(CHANNELS, CHANNELS, 1))

    def step(module: Any, x: Array) -> Array:
        return by_numpy.batch_norm(by_numpy.conv(x, module[0]), module[1])

    x = number(example())
    x1, x2, x3, x4 = np.split(relu(step(block.expand, x)), 4, axis=1)
    f, g = block.down, block.up
    y1 = step(f[0], x1)
    y2 = step(f[1], relu(y1) + x2)
    y3 = step(f[2], relu(y2) + x3)
    y4 = step(f[3], relu(y3) + x4)
    z4 = step(g[0], x4)
    z3 = step(g[1], relu(z4) + x3)
    z2 = step(g[2], relu(z3) + x2)
    z1 = step(g[3], relu(z2) + x1)
    both = np.concatenate([y1 + z1, y2 + z2, y3 + z3, y4 + z4], axis=1)
    expected = relu(step(block.mix, both) + x)
    np.testing.assert_allclose(number(block(example())), expected, rtol=1e-3, atol=1e-2)


def test_mixed_channel_block_sees_near_and_far() -> None:
    """Of one bright pixel, the forward chain's first group tells 2 pixels around, its last 5.

    In the backward chain it is the other way round.
    """
    block = unsettled(MixedChannelBlock(4, 4, 1))
    reach: dict[str, list[int]] = {"down": [], "up": []}
    for name, told in reach.items():
        for step in getattr(block, name):
            step.register_forward_hook(
                lambda module, given, made, told=told: told.append(_radius(made))
            )
    with torch.no_grad():
        for part in block.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.reset_running_stats()
                nn.init.ones_(part.weight)
                nn.init.zeros_(part.bias)
            if isinstance(part, nn.Conv2d):
                nn.init.constant_(part.weight, 0.1)
        image = torch.zeros(1, 4, 15, 15)
        image[:, :, 7, 7] = 1.0
        block(image)
    assert reach == {"down": [2, 3, 4, 5], "up": [2, 3, 4, 5]}


def _radius(made: torch.Tensor) -> int:
    """How far from the middle the last one sits that is not zero."""
    rows = made.abs().sum((0, 1, 3)).nonzero().flatten()
    return int((rows - 7).abs().max())


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.2 * x)


def dense(block: Any, x: Array) -> Array:
    seen = x
    for number_, (conv, norm) in enumerate(zip(block.convs, block.norms, strict=True)):
        made = by_numpy.conv(seen, conv)
        made = made * number(norm.weight).reshape(1, -1, 1, 1) + number(norm.bias).reshape(
            1, -1, 1, 1
        )
        if number_ == 4:
            return x + 0.2 * made
        seen = np.concatenate([seen, leaky(made)], axis=1)
    raise AssertionError("a dense block has five convolutions")


def test_dense_block_and_residual_in_residual() -> None:
    block = unsettled(DenseBlock(4, 2))
    x = number(example(4))
    np.testing.assert_allclose(number(block(example(4))), dense(block, x), rtol=1e-4, atol=1e-3)
    rrdb = unsettled(RRDB(4, 2))
    with torch.no_grad():
        for parameter in rrdb.parameters():
            parameter.mul_(0.5)
    inner = x
    for part in rrdb.dense:
        inner = dense(part, inner)
    np.testing.assert_allclose(number(rrdb(example(4))), x + 0.2 * inner, rtol=1e-4, atol=1e-3)
