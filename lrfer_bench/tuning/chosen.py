"""What a tuning leaves behind: a table of its trials, and the settings that it chose, for `run`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lrfer_bench.files import write_atomically
from lrfer_bench.planning.settings_file import SettingsFile, settings_toml
from lrfer_bench.tuning.study import Folder, Study, Trial

if TYPE_CHECKING:
    import pandas as pd


def write_chosen(folder: Folder) -> None:
    """settings.toml and trials.md of all studies that are done; nothing where none is done.

    Methods whose trials all failed are not in settings.toml. Where numbers of trials differ, or a
    study waits for its end, a comment there says so.
    """
    studies = list(folder.studies())
    done = [study for study in studies if study.trials and study.settled]
    if not done:
        return
    write_atomically(folder.table, markdown(done).encode())
    scored = [study for study in done if study.best is not None]
    if not scored and not folder.settings.exists():
        return  # else what was chosen before is not the choice of these studies
    file = SettingsFile(
        {study.method: study.chosen for study in scored},
        {study.method: len(study.trials) for study in scored},
        code={study.method: study.code for study in scored if study.code},
        versions={study.method: study.version for study in scored if study.version},
    )
    counts = {study.method: study.done for study in studies}
    comment = (
        "Chosen by lrfer-bench tune on the validation split, for lrfer-bench run --settings FILE.\n"
        f"{_conditions(done)}\n"
        "Written anew by every tune: copy it before you change it."
    )
    for warning in (unequal(counts), _left_out(studies)):
        comment += f"\nNote: {warning}." if warning else ""
    write_atomically(folder.settings, settings_toml(file, comment).encode())


def unequal(counts: Mapping[str, int]) -> str:
    """What to say where methods have different numbers of trials, or "".

    >>> unequal({"kd": 8, "fitnet": 4})
    'fitnet has 4 trials, kd has 8; tune all of them with --trials 8 before you compare them'
    """
    if len(set(counts.values())) < 2:
        return ""
    (first, count), *others = sorted(counts.items())
    said = [f"{first} has {count} trial{'s' if count != 1 else ''}"]
    said += [f"{method} has {number}" for method, number in others]
    most = max(counts.values())
    return f"{', '.join(said)}; tune all of them with --trials {most} before you compare them"


def _left_out(studies: Sequence[Study]) -> str:
    """Which studies are not in the file since they were stopped, or ""."""
    open_ones = [study.method for study in studies if not study.settled]
    if not open_ones:
        return ""
    return f"stopped before the end, and so not in this file: {', '.join(open_ones)}"


def markdown(studies: Sequence[Study]) -> str:
    """Each study as a table: a line a trial, the chosen one in bold."""
    about = studies[0].about
    head = f"Scores on {about.faces:,} faces of the validation split: {_conditions(studies)}."
    return "\n".join([head, *(line for study in studies for line in _table(study))]) + "\n"


def _conditions(studies: Sequence[Study]) -> str:
    about = studies[0].about
    own = [s for s in studies if s.budget != about.epochs]
    others = f" ({', '.join(f'{s.method} {s.budget}' for s in own)})" if own else ""
    scales = ",".join(f"x{scale}" for scale in about.scales)
    seeds = ",".join(map(str, about.seeds))
    return (
        f"{about.dataset}, {', '.join(about.protocols)} {scales}, preset {about.preset}, "
        f"{about.epochs} epochs a model{others}, seed {seeds}"
        f"{', pruned by the median' if about.prune == 'median' else ''}"
    )


def _table(study: Study) -> list[str]:
    names = list(dict.fromkeys(name for trial in study.trials for name in trial.settings))
    heads = ["trial", *names, "validation score"]
    fixed = "".join(f", {name}={_said(value)} in all" for name, value in study.fixed.items())
    count = len(study.trials)
    lines = [
        "",
        f"## {study.method}: {count} trial{'s' if count > 1 else ''}{fixed}",
        "",
        f"| {' | '.join(heads)} |",
        "|---" * len(heads) + "|",
    ]
    for number, trial in enumerate(study.trials):
        if trial.stopped:
            score = study.said_of(trial)
        else:
            score = f"failed: {_reason(trial)}" if trial.failure else f"{trial.score:.4f}"
        first = f"{number + 1} (defaults)" if number == 0 else str(number + 1)
        cells = [first, *(_said(trial.settings.get(name)) for name in names), score]
        cells = [cell.replace("|", "\\|") for cell in cells]
        if number == study.best:
            cells = [f"**{cell}**" for cell in cells]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, *_error(study)]


def _error(study: Study) -> list[str]:
    """How sure the scores are, where they are shares of faces."""
    best = study.trials[study.best].score if study.best is not None else None
    if best is None or not 0 < best < 1:
        return []
    error = math.sqrt(best * (1 - best) / study.about.faces)
    return ["", f"One standard error of a score is about {error:.4f}."]


def _reason(trial: Trial) -> str:
    """Why a trial failed, without what the table says already and without a place on a disk."""
    after_label = re.sub(r"^train .*?, seed \d+: ", "", trial.failure or "")
    return re.sub(r" \([^()]*:\d+\)$", "", after_label)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def trial_frame(studies: Sequence[Study]) -> pd.DataFrame:
    """A line for each trial, as lrfer_bench.tune() returns them."""
    import pandas as pd

    names = ("method", "trial", "settings", "score", "failure", "chosen")
    lines = [
        (study.method, place + 1, json.dumps(trial.settings), trial.score,
         study.said_of(trial) if trial.stopped else trial.failure, place == study.best)
        for study in studies
        for place, trial in enumerate(study.trials)
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=names).astype({"score": float})
