"""Devices by the words of --device."""

from __future__ import annotations

import re

import torch

from lrfer_bench.errors import UserError

WORDS = "cpu, cuda (every NVIDIA GPU), cuda:0 (one of them) or mps (Apple)"


def devices_of(word: str | None) -> list[str]:
    """The devices that a run uses, as torch names them: ["cuda:0", "cuda:1"].

    None takes every NVIDIA GPU, or the processor where there is none. UserError for a word that is
    not understood, and for a device that is not there.
    """
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if word is None:
        return gpus or ["cpu"]
    if word == "cpu":
        return ["cpu"]
    if word == "mps":
        if not torch.backends.mps.is_available():
            raise UserError("--device mps is not there: it takes a Mac with an Apple GPU")
        return ["mps"]
    if not re.fullmatch(r"cuda(:[0-9]{1,3})?", word):
        raise UserError(f'the device "{word}" is not known: --device takes {WORDS}')
    chosen = gpus if word == "cuda" else [gpu for gpu in gpus if gpu == word]
    if not chosen:
        there = f"{len(gpus)} GPU{'s' * (len(gpus) > 1)}" if gpus else "no GPU"
        raise UserError(
            f"--device {word} is not there: torch {torch.__version__} sees {there} on this machine"
        )
    return chosen
