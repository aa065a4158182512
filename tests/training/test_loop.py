"""The training loop: resumes with the same bits, stops at a NaN loss, keeps as the rule says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_training import EPOCHS, Killed, Small, constant, fresh, killer, preset, source

from lrfer_bench.contract.method import Task
from lrfer_bench.errors import CellError
from lrfer_bench.protocols.resample import Bicubic
from lrfer_bench.training.checkpoint import load_checkpoint, save_checkpoint
from lrfer_bench.training.loop import train
from lrfer_bench.training.schedule import one_cycle
from lrfer_bench.training.selection import rule_of


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("selection", ["last", "best-val"])
def test_a_killed_training_ends_with_the_same_bits(
    tmp_path: Path, ema: float, selection: str
) -> None:
    scores = iter([0.1, 0.9, 0.3, 0.2])
    alone = train(fresh(ema=ema, selection=selection), source(), lambda m: next(scores))
    checkpoint = tmp_path / "c.ckpt"
    scores = iter([0.1, 0.9, 0.3, 0.2])
    with pytest.raises(Killed):  # in the middle of the third epoch
        train(
            fresh(ema=ema, selection=selection),
            source(),
            lambda m: next(scores),
            checkpoint,
            killer(2 * 5 + 3),
        )
    scores = iter([0.3, 0.2])
    torch.manual_seed(99)
    resumed = train(
        fresh(ema=ema, selection=selection), source(), lambda m: next(scores), checkpoint
    )
    assert resumed.epoch == alone.epoch == (EPOCHS if selection == "last" else 2)
    assert [row["losses"] for row in resumed.history] == [row["losses"] for row in alone.history]
    assert alone.weights.keys() == resumed.weights.keys()
    assert all(torch.equal(alone.weights[name], resumed.weights[name]) for name in alone.weights)


class Late(Small):
    """Draws a buffer after its training. killed: ends before that."""

    def __init__(self, task: Task, killed: bool = False) -> None:
        super().__init__(task)
        self.killed = killed
        self.register_buffer("drawn", torch.zeros(5))

    def after_training(self, batches: object) -> None:
        if self.killed:
            raise Killed
        self.drawn = torch.rand(5)


def late(killed: bool = False) -> Late:
    torch.manual_seed(5)
    return Late(Task(3, 1, (12, 12), (2,), preset()), killed)


def test_what_is_drawn_after_training_is_the_same_after_a_resume(tmp_path: Path) -> None:
    alone = train(late(), source(), constant)
    checkpoint = tmp_path / "c.ckpt"
    with pytest.raises(Killed):
        train(late(killed=True), source(), constant, checkpoint)
    resumed = train(late(), source(), constant, checkpoint)
    assert alone.weights["drawn"].any()
    assert torch.equal(alone.weights["drawn"], resumed.weights["drawn"])


def test_the_same_key_gives_the_same_bits_and_another_key_others() -> None:
    first, second = (train(fresh(), source("a"), constant).weights for _ in range(2))
    other = train(fresh(), source("b"), constant).weights
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["net.0.weight"], other["net.0.weight"])


@pytest.mark.parametrize(
    ("factor", "words"), [(float("nan"), "became NaN or infinite"), (1e9, "ran away to")]
)
def test_a_loss_that_is_no_number_or_runs_away_stops_the_training(
    factor: float, words: str
) -> None:
    torch.manual_seed(5)
    method = Small(Task(3, 1, (12, 12), (2,), preset()), factor)
    with pytest.raises(CellError, match=f'the loss "ce" {words}.* in epoch 1'):
        train(method, source(), constant)


def test_a_checkpoint_of_another_key_or_cut_in_half_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "c.ckpt"
    save_checkpoint(path, "one", {"history": []})
    assert load_checkpoint(path, "one")[0] is not None
    state, why = load_checkpoint(path, "two")
    assert state is None and "another key" in why and "starts anew" in why
    assert not path.exists() and (tmp_path / "c.ckpt.unusable").exists()
    save_checkpoint(path, "one", {"history": []})
    path.write_bytes(path.read_bytes()[:100])
    state, why = load_checkpoint(path, "one")
    assert state is None and "checksum" in why
    notes: list[str] = []
    save_checkpoint(path, "somebody else's", {"history": []})
    done = train(
        fresh(), source(), constant, path, lambda told: notes.append(getattr(told, "text", ""))
    )
    assert done.epochs == EPOCHS and any("another key" in note for note in notes)


def test_hr_and_lr_of_a_batch_show_the_same_flip_and_shift() -> None:
    for batch in source(scales=(1, 2, 3)).epoch(0):
        for scale, lr in batch.lr_parts.items():
            hr = batch.hr[batch.scale == scale]
            assert torch.equal(
                lr, Bicubic().apply(hr, scale, torch.zeros(len(hr), dtype=torch.int64))
            )
        assert sum(len(lr) for lr in batch.lr_parts.values()) == len(batch.label)


def test_an_epoch_shows_every_face_once_and_augments() -> None:
    rows = source().split
    plain = torch.cat([batch.hr for batch in source().epoch(0, augment=False)])
    assert sorted(face.numpy().tobytes() for face in plain) == sorted(
        face.tobytes() for face in rows.images
    )
    moved = torch.cat([batch.hr for batch in source().epoch(0)])
    assert not torch.equal(plain, moved)


def test_schedule_by_hand() -> None:
    assert one_cycle(0.0) == pytest.approx(0.04)
    assert one_cycle(0.125) == pytest.approx(0.52)
    assert one_cycle(0.25) == pytest.approx(1.0)
    assert one_cycle(0.625) == pytest.approx(0.5)
    assert one_cycle(1.0) == pytest.approx(0.0)


def test_selection_rules_and_none_that_sees_the_test() -> None:
    last, best = rule_of("last"), rule_of("best-val")
    assert [last.keeps(e, 3, 0.5, None) for e in (1, 2, 3)] == [False, False, True]
    assert (
        best.keeps(1, 3, 0.5, None)
        and not best.keeps(2, 3, 0.5, 0.5)
        and best.keeps(3, 3, 0.6, 0.5)
    )
    nan = float("nan")
    assert best.keeps(2, 3, 0.1, nan) and not best.keeps(2, 3, nan, nan)
    assert not best.keeps(2, 3, nan, 0.1)
    with pytest.raises(Exception, match="no selection rule"):
        rule_of("best-on-test")
