"""Makes the checks of one method in order. What builds on a failed check is skipped."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfer_bench.checking.checks import CHECKS, MethodCheck
from lrfer_bench.checking.findings import DoesNotApply, Finding
from lrfer_bench.checking.trial import Trial, small_plan
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.planning.plan import DataRef
from lrfer_bench.plugins.blame import place_now


def ids_of(words: Sequence[str]) -> list[str]:
    """Ids of checks from words such as "any_batch" or "any-batch"; UserError for an unknown one."""
    ids = [word.replace("-", "_") for word in words]
    for word, id_ in zip(words, ids, strict=True):
        if id_ not in CHECKS:
            raise UserError(f'there is no check "{word}": {did_you_mean(id_, CHECKS)}')
    return ids


def check_settings(methods: Sequence[str], settings: Mapping[str, Mapping[str, Any]]) -> None:
    """UserError for settings that none of the methods and of their stages takes."""
    ref = DataRef("made", "0" * 64, "", tuple("abcdefg"), 1, (48, 48), True)
    small_plan(methods, settings, ref, stray=False)


def needed(ids: Iterable[str]) -> list[MethodCheck]:
    """These checks and all that they build on, in order."""
    found: set[str] = set()
    waiting = list(ids)
    while waiting:
        id_ = waiting.pop()
        if id_ not in found:
            found.add(id_)
            waiting += CHECKS[id_].builds_on
    return [check for id_, check in CHECKS.items() if id_ in found]


def run_checks(
    name: str,
    dataset: str,
    only: Sequence[str] = (),
    tell: Callable[[str], None] = lambda check: None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Iterator[Finding]:
    """The findings of all checks of one method, each as soon as it is known.

    only: the ids of the checks to report. What they build on is made silently: it is reported only
    where it fails. tell is called with the id of each check before it starts.
    settings: method -> settings, as in a run.
    UserError for an unknown id. Processes that the method leaves running are the caller's to end.
    """
    asked = ids_of(only) or list(CHECKS)
    folder = Path(tempfile.mkdtemp(prefix="lrfer-check-"))
    heard = Overheard(sys.stdout)
    failed: dict[
        str, str
    ] = {}  # a check that says nothing now -> the failed one that is the reason
    try:
        trial = Trial(name, dataset, folder, settings)
        for check in needed(asked):
            tell(check.id)
            reason = next((failed[base] for base in check.builds_on if base in failed), "")
            if reason and not check.always:
                failed[check.id] = reason
                finding = Finding(check.id, check.title, "skipped", f"because {reason} failed")
            else:
                with contextlib.redirect_stdout(heard):  # type: ignore[type-var]
                    finding = _made(check, trial)
            if finding.state == "failed":
                failed[check.id] = check.id
            if finding.state == "failed" or check.id in asked:
                yield finding
        if heard.first and not only:
            yield printed(f'"{heard.first}" ({heard.place})')
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def printed(what: str) -> Finding:
    """The note that a method wrote to standard output."""
    return Finding(
        "prints",
        "writes to standard output",
        "note",
        f"{what}: in a run it goes to the results' logs/",
    )


def _made(check: MethodCheck, trial: Trial) -> Finding:
    try:
        return Finding(check.id, check.title, "ok", check.make(trial))
    except DoesNotApply as reason:
        return Finding(check.id, check.title, "skipped", str(reason))
    except (Exception, SystemExit) as error:
        return Finding(check.id, check.title, "failed", trial.sentence(error, check.blames))


class Overheard:
    """Stands in for sys.stdout: passes on what is printed, keeps the first line and its place."""

    def __init__(self, passed_to: Any) -> None:
        self.passed_to = passed_to
        self.first, self.place = "", ""

    def write(self, text: str) -> int:
        if text.strip() and not self.first:
            self.first, self.place = text.strip().splitlines()[0][:80], place_now()
        return int(self.passed_to.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.passed_to, name)
