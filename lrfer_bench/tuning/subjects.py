"""What a tuning tries: of each method its search space, and what stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfer_bench.contract.budget import budgeted
from lrfer_bench.contract.method import Method
from lrfer_bench.contract.search import Space
from lrfer_bench.planning.plan import Plan
from lrfer_bench.planning.request import Request
from lrfer_bench.planning.settings import search_of
from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.tuning import sampling
from lrfer_bench.tuning.below import changed, given_of, settings_and_defaults, stages_of
from lrfer_bench.tuning.study import Below, Study


@dataclass(frozen=True)
class Subject:
    """A method that is tuned: what is searched, what is held fixed, and where trials start.

    code: the hash of its plugin file, or ""; version: of the method
    epochs: of its trials, which a setting of its own may say
    stages: the methods that it rests on
    """

    name: str
    key_name: str
    space: Mapping[str, Space]
    fixed: Mapping[str, Any]
    defaults: Mapping[str, Any]
    code: str
    version: str
    epochs: int
    stages: Mapping[str, Below]


def subjects_of(run: Request, plan: Plan) -> tuple[list[Subject], dict[str, str]]:
    """The methods that can be tuned, and why the others cannot."""
    trained = {cell.method.name for cell in plan.cells.values() if cell.training}
    subjects, idle = [], {}
    for label in run.methods:
        entry = METHODS.entry(label)
        cls: type[Method] = entry.load()
        given = given_of(entry, run)
        space = {name: one for name, one in search_of(cls).items() if name not in given}
        if not space:
            idle[entry.name] = "nothing to tune, it is left as it is"
        elif entry.name not in trained:
            idle[entry.name] = (
                "trains no model of its own, so there is no validation score to tune it by"
            )
        else:
            complete, plain = settings_and_defaults(entry, run)
            start = {name: sampling.plain(plain[name]) for name in space}
            names, epochs = (entry.name, entry.names[0]), budgeted(run.preset, complete).epochs
            fixed, stages = changed(complete, plain), stages_of(entry.name, run, plan)
            one = Subject(*names, space, fixed, start, entry.code, cls.version, epochs, stages)
            subjects.append(one)
    return subjects, idle


def stands(study: Study, subject: Subject) -> bool:
    """Whether a study has a trial to go on from: one that has ended, with the code of today.

    One that failed before anything was trained says nothing of another code. A study of open
    trials only is drawn anew, since its method may have another space or other defaults by now;
    where it has not, the same trials are drawn.
    """
    same_code = (study.code, study.version or subject.version) == (subject.code, subject.version)
    return any(not trial.open and (trial.keys or same_code) for trial in study.trials)
