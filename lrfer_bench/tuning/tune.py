"""Tuning: every method gets the same number of trials and the same budget for each of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch

from lrfer_bench.contract.budget import SETTING, budgeted, with_budget
from lrfer_bench.contract.labels import label_of, parse_label
from lrfer_bench.data.cache import Prepared
from lrfer_bench.data.reading import Watch, unwatched
from lrfer_bench.data.signature import called
from lrfer_bench.errors import UserError
from lrfer_bench.files import sweep
from lrfer_bench.keys import seed_for
from lrfer_bench.planning import defaults
from lrfer_bench.planning.plan import DataRef, Plan, data_ref
from lrfer_bench.planning.request import Request, plan_request
from lrfer_bench.plugins.degradation import code_of, protocol_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running.devices import devices_of
from lrfer_bench.running.engines import engine_for
from lrfer_bench.running.runner import Runner
from lrfer_bench.running.session import Display
from lrfer_bench.running.sole import sole_run, sweep_store
from lrfer_bench.running.status import Status
from lrfer_bench.store.store import Store
from lrfer_bench.tuning import sampling
from lrfer_bench.tuning.below import check_stages
from lrfer_bench.tuning.chosen import unequal, write_chosen
from lrfer_bench.tuning.study import About, Folder, Study, Trial
from lrfer_bench.tuning.subjects import Subject, stands, subjects_of
from lrfer_bench.tuning.trials import joined, least_of, settle, trial_plan
from lrfer_bench.tuning.validated import shown_at, trainings_of

CPU = torch.device("cpu")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class TuningRequest:
    """What a tuning is asked for.

    run:    methods, data, conditions, preset and folder, as of a run; its settings are held fixed
    trials: of each method, the first of which is its defaults
    epochs: the budget of every model of a trial: a share of the preset's epochs, or a number
    prune:  "median" stops trials of later rounds that are worse than those before; "none" does not
    """

    run: Request
    trials: int = defaults.TRIALS
    epochs: str = defaults.TRIAL_EPOCHS
    prune: str = defaults.PRUNE


@dataclass(frozen=True)
class Outcome:
    """A tuning that came to its end. idle: method -> why it has nothing to tune."""

    folder: Folder
    studies: list[Study]
    idle: Mapping[str, str]


def run_tuning(
    asked: TuningRequest,
    display: Display = lambda status: nullcontext(lambda now: None),
    tell: Tell = lambda line: None,
    watch: Watch = unwatched,
) -> Outcome:
    """Run what is missing of a tuning. Trials that have a score are not run again.

    watch shows how the data is prepared. Raises UserError for wrong words, a folder of another
    tuning, and where Optuna is missing.
    """
    run = _request_of_trials(asked)
    prepared, plan = plan_request(run, watch)
    subjects, idle = subjects_of(run, plan)
    for name, reason in idle.items():
        tell(f"{name}: {reason}")
    folder, about = Folder(run.results), _about(run, prepared, asked.prune)
    stages = {subject.name: subject.stages for subject in subjects}
    # studies of other conditions are refused before anything is begun
    check_stages(folder, folder.open(about).values(), stages)
    if not subjects:
        return Outcome(folder, [], idle)
    sampling.optuna_module()  # where it is missing, nothing is begun
    store = Store(run.results)
    store.check_writable()
    with sole_run(store, may_join=False):
        sweep_store(store, checkpoints=run.overwrite != "always")
        sweep(folder.root)
        tuning = _Tuning(run, data_ref(run.dataset, prepared), folder, subjects, asked.trials)
        tuning.begin(folder.open(about), about)
        for note in (*plan.notes, *tuning.warnings()):
            tell(f"note: {note}")
        while tuning.propose():
            tuning.run_round(display)
        write_chosen(folder)
    return Outcome(folder, [tuning.studies[subject.name] for subject in subjects], idle)


def _request_of_trials(asked: TuningRequest) -> Request:
    """The run's request under the budget of a trial; stages are trained under it, too."""
    if asked.trials < 1:
        raise UserError(
            f"--trials {asked.trials} is not possible: at least one is needed, the defaults"
        )
    run = asked.run
    if asked.prune != "none" and max(map(len, (run.scales, run.seeds, run.protocols))) > 1:
        raise UserError(
            "--prune median is for one scale, one seed and one protocol: a trial of several models "
            "is judged by their mean, which is not known before all have ended"
        )
    for label in asked.run.methods:
        name, settings = parse_label(label)
        if settings:
            raise UserError(
                f'"{label}" cannot be tuned: name the method alone, and hold a setting fixed with '
                f"--set {name}.{next(iter(settings))}=VALUE"
            )
    preset = asked.run.preset
    budget = with_budget("tune", {SETTING: asked.epochs}, preset)
    return dataclasses.replace(asked.run, preset=budgeted(preset, budget))


def _about(run: Request, prepared: Prepared, prune: str) -> About:
    return About(
        dataset=called(run.dataset, prepared.options), fingerprint=prepared.fingerprint,
        preset=run.preset.id, epochs=run.preset.epochs, scales=list(run.scales),
        protocols=[protocol_of(name).id for name in run.protocols],
        seeds=list(run.seeds), faces=int((~prepared.faces.leaked["val"]).sum()), prune=prune,
        codes={protocol_of(p).id: code for p in run.protocols if (code := code_of(p))},
    )  # fmt: skip


@dataclass
class _Tuning:
    """The studies of all methods, advanced together round by round, to keep all workers busy."""

    run: Request
    data: DataRef
    folder: Folder
    subjects: list[Subject]
    trials: int
    studies: dict[str, Study] = field(default_factory=dict)

    def begin(self, known: Mapping[str, Study], about: About) -> None:
        """Take up the studies that there are. UserError for trials of other code or settings."""
        for subject in self.subjects:
            study = Study(method=subject.name, about=about, fixed=dict(subject.fixed))
            earlier = self._earlier(subject, known)
            if earlier:
                self._try_again(earlier)
            if earlier and stands(earlier, subject):
                study = earlier
                self._check_trials(subject, study)
            # those of all its trials, also where an earlier lrfer-bench wrote none
            study.code, study.version = subject.code, subject.version
            study.epochs, study.stages = subject.epochs, dict(subject.stages)
            study.about = about
            self.studies[subject.name] = study

    def _earlier(self, subject: Subject, known: Mapping[str, Study]) -> Study | None:
        """The study of a method, which may have had another name when it was begun."""
        for name in reversed(METHODS.entry(subject.name).names):
            if name in known:
                if name != subject.name:
                    self.folder.rename(known[name], subject.name)
                return known[name]
        return None

    def _try_again(self, study: Study) -> None:
        """Open the failed trials, where that was asked for."""
        if self.run.overwrite == "failed":
            for trial in study.trials:
                trial.failure = None

    def _check_trials(self, subject: Subject, study: Study) -> None:
        """UserError for a trial that the same settings would not make today."""
        for number, trial in enumerate(study.trials, start=1):
            today = Trial(settings=trial.settings)
            self._plan(subject.name, today)
            # a setting that was searched and is fixed now changes no key of a trial
            searched = trial.settings.keys() == subject.space.keys()
            other = study.fixed != subject.fixed or not searched
            made = (trial.keys, trial.shown_at) == (today.keys, today.shown_at)
            if other or (trial.keys and not trial.open and not made):
                raise UserError(
                    f"trial {number} of {self.folder.path(subject.name)} was made with other "
                    "code, stages or fixed settings than those here: delete that file to tune "
                    f"{subject.name} anew, or choose another folder with --results"
                )

    def warnings(self) -> Iterator[str]:
        """What a user should know before anything is trained."""
        counts = {study.method: study.done for study in self.folder.studies()}
        counts |= {name: max(len(s.trials), self.trials) for name, s in self.studies.items()}
        if differs := unequal(counts):
            yield f"in {self.folder.root} {differs}"
        now = sampling.optuna_module().__version__
        for study in self.studies.values():
            if len(study.trials) < self.trials and study.optuna and study.optuna[-1] != now:
                yield (
                    f"earlier trials of {study.method} were drawn by Optuna {study.optuna[-1]}, "
                    f"the rest is by {now}, which may draw others"
                )

    def propose(self) -> bool:
        """Add the trials of the next round to each study; False where all have what was asked."""
        for subject in self.subjects:
            study = self.studies[subject.name]
            while study.settled and len(study.trials) < self.trials:
                drawn_by = sampling.optuna_module().__version__
                if study.optuna[-1:] != [drawn_by]:
                    study.optuna.append(drawn_by)
                for settings in self._next(subject, study):
                    trial = Trial(settings=settings)
                    self._plan(subject.name, trial)
                    study.trials.append(trial)
                self.folder.save(study)
        return any(trial.open for study in self.studies.values() for trial in study.trials)

    def _next(self, subject: Subject, study: Study) -> list[dict[str, Any]]:
        """The rest of the round that a study has come to.

        A round is drawn by what the rounds before it scored, so that it does not matter how often
        a tuning was stopped, or how many trials were asked for at first.
        """
        begun = len(study.trials) - len(study.trials) % sampling.ROUND
        first = [] if begun else [dict(subject.defaults)]
        before = study.trials[:begun]
        # one that was stopped counts as the worst of those that were not
        worst = min((trial.score for trial in before if trial.score is not None), default=None)
        tried = [(each.settings, worst if each.stopped else each.score) for each in before]
        tried += [(settings, None) for settings in first]
        seed = seed_for("tuning", subject.key_name, begun, *self.run.seeds)
        drawn = sampling.drawn(subject.space, tried, sampling.ROUND - len(first), seed)
        return [*first, *drawn][len(study.trials) - begun : self.trials - begun]

    def _plan(self, method: str, trial: Trial) -> Plan:
        """The trainings of a trial; settings that the method refuses are a failure of the trial."""
        try:
            whole = trial_plan(self.run, self.data, method, trial.settings)
        except UserError as error:
            trial.fail(str(error))
            return Plan()
        plan = trainings_of(whole)
        trial.keys = list(plan.wanted)
        trial.shown_at = sorted({s for key in trial.keys for s in shown_at(whole, key)})
        return plan

    def run_round(self, display: Display) -> None:
        """Train what the open trials need, through the engine of a run, and write their scores."""
        run, store = self.run, Store(self.run.results)
        trials = [(s.method, t) for s in self.studies.values() for t in s.trials if t.open]
        plan = joined(self._plan(method, trial) for method, trial in trials)
        runner = Runner(plan, store, least=self._least(plan))
        engine = engine_for(run, store.root / "logs")
        with display(runner.status) as listener:

            def listen(status: Status, trained: Plan | None = None) -> None:
                status.said = self._settled(runner, trained)
                listener(status)
                status.said = []

            runner.run(engine, listen)
            listen(runner.status, plan)  # models are shown faces while no worker waits for this
        for study in self.studies.values():
            self.folder.save(study)

    def _settled(self, runner: Runner, trained: Plan | None) -> list[str]:
        """Write the trials that have come to their end since the last look; a line for each.

        trained: the plan of the round, once it is done
        """
        lines, device = [], CPU if trained is None else self._device()
        for study in self.studies.values():
            prune = study.about.prune == "median"
            for trial in study.trials:
                if trial.open and settle(trial, runner, prune, trained, device):
                    self.folder.save(study)
                    lines.append(_line(study, trial))
        return lines

    def _least(self, plan: Plan) -> dict[str, dict[int, float]]:
        """Where trainings of this round are stopped; none that others rest on."""
        found: dict[str, dict[int, float]] = {}
        for study in self.studies.values():
            for place, trial in enumerate(study.trials):
                if trial.open and study.about.prune == "median":
                    found[trial.keys[0]] = least_of(study, place)
        stages = {key for each in plan.trainings.values() for key in each.stages.values()}
        return {key: bounds for key, bounds in found.items() if key not in stages}

    def _device(self) -> torch.device:
        """Where models are shown faces: the first of the run's devices that this machine has."""
        try:
            return torch.device(devices_of(self.run.device)[0])
        except UserError:  # its workers may be elsewhere
            return CPU


def _line(study: Study, trial: Trial) -> str:
    number = 1 + next(k for k, each in enumerate(study.trials) if each is trial)
    return f"{label_of(study.method, trial.settings)}, trial {number}: {study.said_of(trial)}"
