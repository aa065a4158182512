"""How `datasets verify` prints what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lrfer_bench.errors import escaped

if TYPE_CHECKING:
    from rich.table import Table

    from lrfer_bench.data.verify import Verification


def show_verification(name: str, result: Verification) -> None:
    """Print the checks of a data set, its audit and the verdict."""
    from rich.console import Console

    console = Console(highlight=False)
    console.print(_checks_table(name, result))
    if not result.states_counts:
        console.print(
            f'The card of "{name}" states no counts and no fingerprint: copies differ by nature.'
        )
    console.print(_audit_table(result))
    if result.audit.near is not None:
        from lrfer_bench.data.near import NEAR_FULL

        console.print(
            f"near copies: grey images, as they are or mirrored, that correlate by {NEAR_FULL} or "
            "more"
        )
    for note in result.prepared.faces.notes:
        console.print(escaped(f"note: {note}"), markup=False)
    console.print(f"prepared in: {result.prepared.directory}", markup=False, soft_wrap=True)
    wrong = [check.what for check in result.checks if not check.ok]
    if wrong:
        console.print(
            f'[bold red]"{name}" differs from its card in {len(wrong)} points: '
            f"{', '.join(wrong)}[/]"
        )
    else:
        console.print(f'[bold green]"{name}" is what its card says[/]')


def _checks_table(name: str, result: Verification) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{escape(name)} against its card", title_justify="left")
    for column in ("what", "right", "found", ""):
        table.add_column(column, overflow="fold")
    for check in result.checks:
        verdict = "[green]ok[/]" if check.ok else "[red]differs[/]"
        table.add_row(
            check.what, escape(_short(check.expected)), escape(_short(check.found)), verdict
        )
    return table


def _short(text: str) -> str:
    """A fingerprint by its head; the whole one is in --json and in the card."""
    text = escaped(text)
    is_hash = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return f"{text[:16]}..." if is_hash else text


def _audit_table(result: Verification) -> Table:
    from rich.table import Table

    summary: dict[str, Any] = result.audit.summary()
    table = Table(title="audit", title_justify="left")
    for column in ("", "train", "val", "test", "all"):
        table.add_column(column, justify="left" if not column else "right")

    def row(label: str, counts: dict[str, int], total: int | None = None) -> None:
        cells = [
            f"{counts[split]:,}" if split in counts else "" for split in ("train", "val", "test")
        ]
        table.add_row(label, *cells, f"{sum(counts.values()) if total is None else total:,}")

    row("images", result.audit.counts)
    row("also in train, pixel for pixel", summary["leaked"])
    row("also in val, pixel for pixel", {"test": summary["test_in_val"]})
    row(
        "extra identical copies (in each split, over all)",
        summary["extra_copies_within"],
        summary["extra_copies"],
    )
    table.add_row("groups of identical images", "", "", "", f"{summary['duplicate_groups']:,}")
    table.add_row(
        "such groups with conflicting labels", "", "", "", f"{summary['conflicting_groups']:,}"
    )
    if summary["near"] is not None:
        row(
            "near copies of an earlier split's image",
            {split: summary["near"][split] for split in ("val", "test")},
        )
    row("blank (one grey value)", summary["blank"])
    row("near-constant", summary["near_constant"])
    return table
