"""Studies on disk: a readable JSON file for each method in <results>/tuning/."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lrfer_bench.errors import UserError, escaped
from lrfer_bench.files import JSON_FILES, read_json, write_atomically
from lrfer_bench.keys import SEAL, is_intact, sealed

SCHEMA = 1


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class About(_Part):
    """What all studies of a folder have in common.

    epochs: of a trial, where the method asks for no budget of its own
    faces: of the validation split that count; prune: "none" or "median"
    codes: protocol -> the hash of its plugin file, of those that have one; None: it is not known
    """

    dataset: str
    fingerprint: str
    preset: str
    epochs: int
    protocols: list[str]
    scales: list[int]
    seeds: list[int]
    faces: int
    prune: str = "none"
    codes: dict[str, str] | None = None


class Below(_Part):
    """A stage that a tuned method rests on.

    fixed: settings of it that the user changed; code: the hash of its plugin file, or ""
    """

    fixed: dict[str, Any] = Field(default_factory=dict)
    code: str = ""
    version: str = ""


class Trial(_Part):
    """One try.

    settings: value of every setting of the search space; keys: of the trainings it is scored by
    shown_at: the scales at each of which their models are shown the whole validation split for the
              score; none: the scores are those of the trainings, each at its one scale
    score: mean validation score of these, higher is better; None while it is open or if it failed
    failure: the sentence of a trial that could not be trained
    stopped: the epoch after which it was, where trials are pruned; it has no score then
    history: where trials are pruned, the scores of its training's epochs until it ended
    """

    settings: dict[str, Any]
    keys: list[str] = Field(default_factory=list)
    shown_at: list[int] = Field(default_factory=list)
    score: float | None = None
    failure: str | None = None
    stopped: int | None = None
    history: list[float | None] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, content: Any) -> Any:
        """An earlier form had a list of histories, of one model at most."""
        if not isinstance(content, dict) or "histories" not in content:
            return content
        rest = {name: value for name, value in content.items() if name != "histories"}
        (history,) = content["histories"] or [[]]
        return {**rest, "history": history}

    def fail(self, sentence: str) -> None:
        """Keep why it could not be trained: a file of JSON takes Unicode only, a table one line."""
        self.failure = escaped(" ".join(sentence.split()))

    @property
    def open(self) -> bool:
        return self.score is None and self.failure is None and self.stopped is None


class Study(_Part):
    """The trials of one method, in their order; the first is its defaults.

    fixed: settings of the method that are the same in all trials, changed from their defaults
    optuna: the versions of Optuna that drew its trials, in their order; none: it is not known
    code: the hash of its plugin file; none: it has none, or it is not known
    version: of the method; none: it is not known
    epochs: of its trials, which the method's own setting may say; None: those of the folder
    stages: the methods below it, of any depth; None: they are not known
    """

    schema_version: int = SCHEMA
    method: str
    about: About
    fixed: dict[str, Any] = Field(default_factory=dict)
    optuna: list[str] = Field(default_factory=list)
    code: str = ""
    version: str = ""
    epochs: int | None = None
    stages: dict[str, Below] | None = None
    trials: list[Trial] = Field(default_factory=list)

    @property
    def budget(self) -> int:
        """How many epochs a trial has."""
        return self.about.epochs if self.epochs is None else self.epochs

    @property
    def settled(self) -> bool:
        """Whether no trial is open."""
        return not any(trial.open for trial in self.trials)

    @property
    def done(self) -> int:
        """How many trials have come to their end."""
        return sum(not trial.open for trial in self.trials)

    def said_of(self, trial: Trial) -> str:
        """How a trial ended, in words."""
        if trial.stopped:
            return f"stopped after epoch {trial.stopped} of {self.budget}"
        return f"failed: {trial.failure}" if trial.failure else f"validation {trial.score:.4f}"

    @property
    def best(self) -> int | None:
        """The place of the trial with the highest score, the first of equals; None: all failed."""
        scores = {k: t.score for k, t in enumerate(self.trials) if t.score is not None}
        return max(scores, key=lambda k: (scores[k], -k), default=None)

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The settings of the best trial, with the fixed ones."""
        best = self.best
        return {**self.fixed, **(self.trials[best].settings if best is not None else {})}


class Folder:
    """<results>/tuning/: METHOD.json for each study, and settings.toml and trials.md of all.

    All studies of a folder were made under equal conditions, see About.
    """

    def __init__(self, results: Path) -> None:
        self.root = results / "tuning"
        self.settings = self.root / "settings.toml"
        self.table = self.root / "trials.md"

    def path(self, method: str) -> Path:
        return self.root / f"{method}.json"

    def studies(self) -> Iterator[Study]:
        """Every study, in the order of their names; UserError for a file that is none."""
        for path in sorted(self.root.glob(JSON_FILES)):
            yield _read(path)

    def open(self, about: About) -> dict[str, Study]:
        """The studies that there are, by method.

        UserError where one was made under other conditions.
        """
        found = {study.method: study for study in self.studies()}
        for study in found.values():
            for field, wanted in about.model_dump().items():
                had = getattr(study.about, field)
                if had != wanted and had is not None:  # earlier versions wrote no codes
                    raise UserError(
                        f"{self.path(study.method)} was tuned with {_said(field, had)}, not "
                        f"{_said(field, wanted)}: choose another folder with --results, or delete "
                        f"{self.root}"
                    )
        return found

    def rename(self, study: Study, name: str) -> None:
        """Keep a study under the name that its method has today."""
        former = self.path(study.method)
        study.method = name
        self.save(study)
        former.unlink()

    def save(self, study: Study) -> None:
        content = sealed(study.model_dump(mode="json"))
        write_atomically(self.path(study.method), (json.dumps(content, indent=1) + "\n").encode())


def _said(field: str, value: Any) -> str:
    if field == "fingerprint":
        return f"a data set of fingerprint {value[:8]}"
    if field == "codes":
        edits = ", ".join(f"{name} as of edit {code[:8]}" for name, code in value.items())
        return f"protocols of plugins {edits or 'none'}"
    listed = ",".join(map(str, value)) if isinstance(value, list) else value
    return f"{field} {listed}"


def _read(path: Path) -> Study:
    """UserError for a file that is damaged or was edited. Earlier versions wrote no seal."""
    try:
        content = read_json(path)
        if not isinstance(content, dict) or not is_intact(content):
            raise ValueError("it was changed")
        content.pop(SEAL, None)
        study = Study.model_validate(content)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not a study that can be read, or was changed: restore or delete it"
        ) from error
    if study.schema_version != SCHEMA or path.stem != study.method:
        raise UserError(
            f"{path} is a study of another lrfer-bench or under another name: restore or delete it"
        )
    return study
