"""--prune median: what is stopped follows from finished rounds alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_engine import Killed, MadeEngine, score_of
from tunings import asked, files, tuned

from lrfer_bench.errors import UserError
from lrfer_bench.running.engines.base import Event, Failed, Finished
from lrfer_bench.running.jobs import TrainJob
from lrfer_bench.running.models import Model, TrainingCost
from lrfer_bench.running.work import result_of
from lrfer_bench.training.stopping import Stopped, last_epoch
from lrfer_bench.tuning import tune
from lrfer_bench.tuning.study import Study

PRUNED = {"prune": "median", "epochs": "3"}


class Curves(MadeEngine):
    """Draws a score for each epoch, and stops as a training would."""

    def wait(self) -> Sequence[Event]:
        if self.dies_after is not None and len(self.trained) >= self.dies_after:
            raise Killed
        job = self.waiting.pop()
        self.trained.append(job.training.method.label)
        scores = curve(job)
        if end := last_epoch(scores[:-1], job.least):
            return [Failed(job.key, "low", scores=tuple(scores[:end]))]
        rows = [
            {"epoch": e, "val_score": s, "losses": {}, "seconds": 1.0}
            for e, s in enumerate(scores, 1)
        ]
        return [
            Finished(job.key, Model(job.training, b"", TrainingCost(1.0, "last", 3, 3, rows, 1.0)))
        ]


def curve(job: TrainJob) -> list[float]:
    name = f"{job.training.method.label} {job.training.scales} {job.training.seed}"
    return [score_of(f"{name} {epoch}") for epoch in (1, 2, 3)]


def expected(study: Study, place: int) -> int | None:
    """The rule in plain words, for a trial of one training."""
    earlier = [t.histories[0] for t in study.trials[: place // 4 * 4]]
    for epoch, score in enumerate(study.trials[place].histories[0][:2]):
        seen = [h[epoch] for h in earlier if len(h) > epoch]
        if seen and score < statistics.median(seen):
            return epoch + 1
    return None


def test_a_trial_is_stopped_below_the_median_of_earlier_rounds(
    tmp_path: Path, through: Any
) -> None:
    engine = through(Curves())
    (study,) = tuned(tmp_path, "tunable", trials=12, **PRUNED).studies
    ends = [trial.stopped for trial in study.trials]
    assert ends == [expected(study, place) for place in range(12)]
    assert ends[:4] == [None] * 4 and set(ends[4:]) > {None, 1}, "the curves are chosen so"
    for trial in study.trials:
        has_model = (tmp_path / "models" / f"{trial.keys[0]}.json").exists()
        assert has_model == (trial.score is not None) == (trial.stopped is None)
        assert len(trial.histories[0]) == trial.stopped or 3
    assert len(engine.trained) == 12 and study.settled
    assert "| stopped after epoch 1 of 3 |" in (tmp_path / "tuning" / "trials.md").read_text()


@pytest.mark.parametrize("jobs", [3, 6, 9, 10])
def test_neither_workers_nor_kills_nor_models_that_are_there_change_what_is_stopped(
    jobs: int, tmp_path: Path, through: Any
) -> None:
    through(Curves())
    tuned(tmp_path / "alone", "tunable", trials=12, **PRUNED)
    through(Curves(slots=3, dies_after=jobs))
    with pytest.raises(Killed):
        tuned(tmp_path / "stopped", "tunable", "kd", trials=12, **PRUNED)
    through(Curves(slots=2))
    tuned(tmp_path / "stopped", "tunable", trials=8, **PRUNED)
    tuned(tmp_path / "stopped", "tunable", trials=12, **PRUNED)
    alone, other = (files(tmp_path / name)["tunable.json"] for name in ("alone", "stopped"))
    assert alone == other
    through(Curves())
    tuned(tmp_path / "there", "tunable", trials=12, epochs="3")  # every trial has a model
    for path in (tmp_path / "there" / "tuning").iterdir():
        path.unlink()
    tuned(tmp_path / "there", "tunable", trials=8, **PRUNED)
    eight = [t.stopped for t in Study.model_validate_json(_unsealed(alone)).trials[:8]]
    there = Study.model_validate_json(_unsealed(files(tmp_path / "there")["tunable.json"]))
    assert [trial.stopped for trial in there.trials] == eight


def _unsealed(content: bytes) -> str:
    import json

    found = json.loads(content)
    del found["content_sha256"]
    return json.dumps(found)


def test_each_scale_and_seed_has_a_median_of_its_own(tmp_path: Path, through: Any) -> None:
    through(Curves())
    (study,) = tuned(tmp_path, "tunable", scales=(2, 4), seeds=(0, 1), **PRUNED).studies
    for trial in study.trials[4:]:
        ends = []
        for number in range(4):
            first = [t.histories[number] for t in study.trials[:4]]
            bounds = {e: statistics.median(h[e - 1] for h in first) for e in (1, 2)}
            ends.append(last_epoch(trial.histories[number], bounds))
        assert trial.stopped == min((end for end in ends if end), default=None)


def test_a_folder_is_pruned_or_not(tmp_path: Path, through: Any) -> None:
    through(Curves())
    tuned(tmp_path, "tunable", trials=4, epochs="3")
    with pytest.raises(UserError, match="prune none, not prune median"):
        tuned(tmp_path, "tunable", trials=4, **PRUNED)


def test_a_real_training_stops_at_once_also_from_its_checkpoint(tmp_path: Path) -> None:
    tune.plan_request(asked(tmp_path, "shared").run)
    _, plan = tune.plan_request(asked(tmp_path, "shared").run)
    (training,) = plan.trainings.values()
    checkpoint = str(tmp_path / "model.ckpt")
    for least, epochs in (({1: 0.0, 3: 1.1}, 3), ({2: 1.1}, 2), ({1: 0.0}, None)):
        job = TrainJob(training, {}, checkpoint, least=least)
        if epochs is None:
            assert len(result_of(job).cost.history) == training.preset.epochs  # type: ignore[union-attr]
            continue
        with pytest.raises(Stopped, match=f"after epoch {epochs}") as caught:
            result_of(job)
        assert len(caught.value.scores) == epochs


def test_a_score_that_is_no_number_stops() -> None:
    assert last_epoch([0.5, float("nan")], {2: 0.1}) == 2 == last_epoch([0.5, None], {2: 0.1})
    assert last_epoch([0.5, 0.4], {1: 0.5}) is None and last_epoch([0.4], {1: 0.5}) == 1
