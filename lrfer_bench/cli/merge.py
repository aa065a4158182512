"""lrfer-bench merge: another machine's records into mine."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Command
from lrfer_bench.cli.options import PLUGIN
from lrfer_bench.cli.paths import UserPath
from lrfer_bench.planning import defaults

EXAMPLES = (
    "lrfer-bench merge ~/from-the-cluster/results",
    "lrfer-bench merge laptop/results cluster/results --results all --dry-run",
)


@click.command(cls=Command, examples=EXAMPLES)
@click.argument("others", nargs=-1, required=True, type=UserPath(), metavar="OTHER_RESULTS...")
@click.option(
    "--results",
    default=defaults.RESULTS,
    show_default=True,
    type=UserPath(),
    help="My folder.",
)
@click.option(
    "--other-data", is_flag=True, help="Also take records on data sets of another fingerprint."
)
@click.option("--dry-run", is_flag=True, help="Check and say what would be taken; write nothing.")
@PLUGIN
@JSON
def merge(
    others: tuple[Path, ...],
    results: Path,
    other_data: bool,
    dry_run: bool,
    plugins: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Check the records of other results folders and copy the good ones with their logits.

    Weights stay where they are. Exit status 1 when a record was refused.
    """
    from lrfer_bench.plugins.loading import load_plugins
    from lrfer_bench.store.merge import merge as take

    load_plugins(plugins)
    notes: list[str] = []
    counts = {"taken": 0, "stood": 0, "refused": 0}
    words = {
        "taken": "would be taken" if dry_run else "taken",
        "stood": "stood already",
        "refused": "refused",
    }
    outcomes = []
    for outcome in take(results, others, other_data, dry_run, notes.append):
        counts[outcome.verdict] += 1
        outcomes.append(outcome)
        if not as_json:
            echo(
                f"{words[outcome.verdict]}: {outcome.path}"
                + (f": {outcome.reason}" if outcome.reason else "")
            )
    if as_json:
        echo_json({"records": outcomes, "notes": notes, "dry_run": dry_run})
        sys.exit(1 if counts["refused"] else 0)
    for note in notes:
        echo(f"note: {note}")
    echo(", ".join(f"{count} {words[verdict]}" for verdict, count in counts.items()))
    sys.exit(1 if counts["refused"] else 0)
