"""What a user should know before the first training: in the terminal and from Python the same."""

from __future__ import annotations

from collections.abc import Iterator

from lrfer_bench.errors import joined
from lrfer_bench.plugins.registry import PLUGIN_ERRORS
from lrfer_bench.running.runner import Runner
from lrfer_bench.running.session import Session


def remarks(session: Session, runner: Runner) -> Iterator[str]:
    """Lines about the data, what was left out of it, the plan, and whether anything is to do."""
    faces = session.prepared.faces
    word = " (synthetic: rendered faces, no evidence about real ones)" if faces.synthetic else ""
    counts = ", ".join(f"{len(split)} {name}" for name, split in faces.splits.items())
    size = f"{faces.size[1]}x{faces.size[0]} pixels"
    yield f"{session.request.dataset}{word}: {counts}, {size}"
    for note in (*faces.notes, *session.plan.notes):
        yield f"  {note}"
    mine = {cell.data.name for cell in session.plan.cells.values()}
    if others := sorted(runner.survey.datasets - mine):
        yield f"  these faces have records under the name {joined(others)}: tables show them as one"
    if not runner.plan.cells:
        yield f"all {len(runner.kept)} cells have a record already: nothing to run"


def faults(runner: Runner) -> Iterator[str]:
    """Lines about plugins that were left out and records that are damaged."""
    for plugin, reason in PLUGIN_ERRORS.items():
        yield f"lrfer-bench: plugin {plugin} was left out: {reason}"
    for damaged in runner.survey.damaged:
        yield (
            f"lrfer-bench: {damaged.path} is not counted: {damaged.reason}; "
            "where its cell is run again it is set aside"
        )
