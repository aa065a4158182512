"""Every built-in method learns from votes by one switch, and none has code of its own for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from builtin import LISTED, OURS
from folders import ROOT
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import fitted, fresh

from lrfer_bench.contract.faceset import Split
from lrfer_bench.contract.method import Batch

SOFT = tiny_preset(targets="soft")
SIDE = 24


def with_votes(split: Split, doubt: float, seed: int = 0) -> Split:
    """Its votes: 1 - doubt for each face's label, the rest drawn over all classes."""
    classes = int(split.labels.max()) + 1
    drawn = np.random.default_rng(seed).dirichlet(np.ones(classes), len(split))
    votes = (1 - doubt) * np.eye(classes)[split.labels] + doubt * drawn
    return dataclasses.replace(split, soft=votes.astype(np.float32))


def losses_of(name: str, targets: str, doubt: float) -> dict[str, float]:
    """What the first step of a method tells, which always starts the same."""
    preset = tiny_preset(targets=targets)
    method = fresh(name, preset=preset, ref=data_ref(side=SIDE))
    split = with_votes(made_faces(14, side=SIDE), doubt)
    assert split.soft is not None
    batch: Batch = dataclasses.replace(batch_of(split, (4,)), soft=torch.from_numpy(split.soft))
    method.train()
    method.progress = 0.9
    torch.manual_seed(3)
    return {key: loss.item() for key, loss in method.update(batch, method.optimizers()).items()}


TRAINED = [entry.name for entry in OURS if entry.load().trains != "nothing"]


@pytest.mark.parametrize("name", TRAINED)
def test_the_switch_reaches_every_cross_entropy(name: str) -> None:
    """Votes of one mind are the labels; in doubt, terms against labels change and no others."""
    by_label = losses_of(name, "majority", 0.6)
    agreed, doubted = losses_of(name, "soft", 0.0), losses_of(name, "soft", 0.6)
    assert agreed == pytest.approx(by_label, rel=1e-4, abs=1e-6)
    changed = {key for key in by_label if doubted[key] != pytest.approx(agreed[key], rel=1e-4)}
    assert changed == {key for key in by_label if key.startswith(("ce", "ensemble"))}


@pytest.mark.parametrize("name", LISTED)
def test_every_method_trains_on_votes(name: str) -> None:
    """With its stages, by the harness's own loop, to an answer."""
    split = with_votes(made_faces(14, side=SIDE), 0.5)
    made = fitted(name, split, preset=SOFT)
    votes = [loss for trained in made.trained.values() for row in trained.history
             for loss in row["losses"].values()]  # fmt: skip
    assert votes and np.isfinite(votes).all()
    side = SIDE if made.method().tests == "hr" else SIDE // 4
    with torch.no_grad():
        answers = made.method()(torch.zeros(2, 1, side, side, dtype=torch.uint8))
    assert answers.shape == (2, 7) and answers.isfinite().all()


def test_no_method_has_code_for_votes() -> None:
    """What is soft and what is not is asked in the contract alone."""
    for path in (ROOT / "methods").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "batch.soft" not in text and "preset.targets" not in text, path.name
