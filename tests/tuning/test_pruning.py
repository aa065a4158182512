"""--prune median: what is stopped follows from finished rounds alone."""

from __future__ import annotations

import dataclasses
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
from lrfer_bench.tuning.study import About, Study, Trial
from lrfer_bench.tuning.trials import least_of

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
    """The rule in plain words: the best so far against the median of the best so far of others."""
    earlier = [t.history for t in study.trials[: place // 4 * 4]]
    own = study.trials[place].history
    for epoch in (1, 2):
        seen = [max(h[:epoch]) for h in earlier]  # a stopped one keeps what it had
        if seen and max(own[:epoch]) < statistics.median(seen):
            return epoch
    return None


def test_a_trial_is_stopped_below_the_median_of_earlier_rounds(
    tmp_path: Path, through: Any
) -> None:
    engine = through(Curves())
    (study,) = tuned(tmp_path, "tunable", trials=12, **PRUNED).studies
    ends = [trial.stopped for trial in study.trials]
    assert ends == [expected(study, place) for place in range(12)]
    assert ends[:4] == [None] * 4 and set(ends[4:]) >= {None, 1}, "the curves are chosen so"
    for trial in study.trials:
        has_model = (tmp_path / "models" / f"{trial.keys[0]}.json").exists()
        assert has_model == (trial.score is not None) == (trial.stopped is None)
        assert len(trial.history) == (trial.stopped or 3)
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


def test_of_many_epochs_the_first_third_and_the_last_stop_nothing() -> None:
    about = About(
        dataset="d", fingerprint="f", preset="p", epochs=7, protocols=["b"], scales=[2], seeds=[0],
        faces=9, prune="median",
    )  # fmt: skip
    curves = [[0.2, 0.5, 0.4, 0.3, 0.6, 0.6, 0.7], [0.1, 0.1], [0.3] * 7, [None, 0.4, *[0.1] * 5]]
    trials = [Trial(settings={}, keys=[str(k)], history=h) for k, h in enumerate(curves)]
    study = Study(method="m", about=about, trials=[*trials, Trial(settings={}, keys=["new"])])
    bound = least_of(study, 4)
    # best so far at epoch 3: 0.5, 0.1 (stopped), 0.3, 0.4; at 5: 0.6 in place of 0.5
    assert bound == pytest.approx({3: 0.35, 4: 0.35, 5: 0.35, 6: 0.35})
    assert least_of(study, 3) == {}, "its own round is not looked at"


@pytest.mark.parametrize("more", [{"scales": (2, 4)}, {"seeds": (0, 1)}])
def test_a_trial_of_several_models_is_not_pruned(more: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="judged by their mean"):
        tuned(tmp_path, "tunable", **PRUNED, **more)
    assert not (tmp_path / "tuning").exists()


def test_a_score_that_is_no_number_is_kept_as_none(tmp_path: Path, through: Any) -> None:
    class Nan(Curves):
        def wait(self) -> Sequence[Event]:
            (event,) = super().wait()
            if isinstance(event, Failed) and event.scores:
                event = dataclasses.replace(event, scores=(float("nan"), *event.scores[1:]))
            return [event]

    through(Nan())
    (study,) = tuned(tmp_path, "tunable", trials=12, **PRUNED).studies
    assert any(trial.stopped and trial.history[0] is None for trial in study.trials)


def test_a_folder_is_pruned_or_not(tmp_path: Path, through: Any) -> None:
    through(Curves())
    tuned(tmp_path, "tunable", trials=4, epochs="3")
    with pytest.raises(UserError, match="prune none, not prune median"):
        tuned(tmp_path, "tunable", trials=4, **PRUNED)


def test_a_real_training_stops_at_once_also_from_its_checkpoint(tmp_path: Path) -> None:
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


def test_a_score_that_is_no_number_is_no_best() -> None:
    assert last_epoch([float("nan"), 0.5], {1: 0.1}) == 1 == last_epoch([None], {1: 0.1})
    assert last_epoch([0.5, float("nan")], {1: 0.5, 2: 0.5}) is None
    assert last_epoch([0.5, 0.4], {2: 0.6}) == 2 and last_epoch([0.4], {1: 0.5}) == 1
