"""What computes: the processor's arithmetic, told by a probe, and the GPU's name and precision.

Equal versions do not give equal bits: the same wheels take other kernels on another processor.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CPU = torch.device("cpu")
OLDER = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Variables under which a newer x86 processor takes the kernels of those with AVX2 alone: torch's
own, and oneDNN's, which does convolutions."""
TO_BE_ALIKE = " ".join(f"{name}={value}" for name, value in OLDER.items())
PROCESSORS = ("arithmetic", "capability")
"""The facts of an environment that these variables change."""
STEPS = 3


@lru_cache(maxsize=1)
def arithmetic() -> str:
    """Equal where training on the CPU gives equal bits; computed once a process, in about 0.1 s.

    Returns 12 hexadecimal digits: a hash of a small net after three steps of SGD on one thread.
    Leaves random state and thread count of the process as they were.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _probe()
    finally:
        torch.set_num_threads(threads)


def _probe() -> str:
    # Every kind of kernel that the methods lean on: convolutions, batch norm, matrix products,
    # a transcendental activation, a loss, momentum.
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        net: nn.Module = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.SiLU(),
            nn.Conv2d(32, 64, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 7),
        )  # fmt: skip
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
    moments = [torch.zeros_like(weight) for weight in net.parameters()]
    faces = torch.randn(64, 1, 24, 24, generator=generator).to(memory_format=torch.channels_last)
    labels = torch.randint(0, 7, (64,), generator=generator)
    with torch.enable_grad():
        for _ in range(STEPS):
            F.cross_entropy(net(faces), labels, label_smoothing=0.1).backward()
            _step(list(net.parameters()), moments)
    digest = hashlib.sha256()
    for value in net.state_dict().values():
        digest.update(_content(value))
    return digest.hexdigest()[:12]


def _step(weights: list[nn.Parameter], moments: list[Tensor]) -> None:
    """One step of SGD with momentum; by hand, as torch.optim takes seconds to import."""
    with torch.no_grad():
        for weight, moment in zip(weights, moments, strict=True):
            assert weight.grad is not None
            moment.mul_(0.9).add_(weight.grad)
            weight.add_(moment, alpha=-0.1)
            weight.grad = None


def _content(value: Tensor) -> bytes:
    return value.detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()


def capability() -> str:
    """The vector instructions that torch takes on this processor, such as "AVX2"."""
    return str(torch.backends.cpu.get_cpu_capability())


def older_arithmetic() -> str:
    """arithmetic() of this machine under OLDER, by another process in some seconds; "" if it fails.

    oneDNN reads its variable once, so that a process cannot try both.
    """
    code = f"from {__name__} import arithmetic; print(arithmetic())"
    command = [sys.executable, "-c", code]
    try:
        told = subprocess.run(
            command, env={**os.environ, **OLDER}, capture_output=True, text=True, timeout=120,
            check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


@lru_cache(maxsize=4)
def arithmetic_of(device: torch.device = CPU) -> str:
    """What a training on this device depends on: the probe's hash, or the GPU and its precision.

    Asked once a process, before any method changes the precision for itself.
    """
    if device.type == "cpu":
        return arithmetic()
    return f"{gpu_name(device)}, {precision(device)}"


def gpu_name(device: torch.device) -> str:
    """The name of a GPU, such as "NVIDIA H100 80GB HBM3"."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} GPU"


@lru_cache(maxsize=1)
def gpu_driver() -> str:
    """The version of NVIDIA's driver, or "" where it is not told."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.partition("\n")[0].strip()


def precision(device: torch.device) -> str:
    """The number format of products on a GPU, where TF32 may stand in for fp32."""
    if device.type != "cuda":
        return "fp32"
    used = []
    if torch.backends.cuda.matmul.allow_tf32:
        used.append("matrix products")
    if torch.backends.cudnn.allow_tf32:
        used.append("convolutions")
    return f"fp32, TF32 in {' and '.join(used)}" if used else "fp32"
