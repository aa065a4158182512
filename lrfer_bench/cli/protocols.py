"""lrfer-bench protocols list|show"""

from __future__ import annotations

from pathlib import Path

import click

from lrfer_bench.cli import completing
from lrfer_bench.cli.data import JSON, echo_json
from lrfer_bench.cli.echo import echo
from lrfer_bench.cli.help import Group
from lrfer_bench.cli.options import PLUGIN, echo_left_out
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import left_out, load_plugins
from lrfer_bench.plugins.registry import PROTOCOLS


@click.group(
    cls=Group,
    examples=(
        "lrfer-bench protocols list",
        "lrfer-bench protocols show camera",
    ),
)
def protocols() -> None:
    """List the degradations, show one."""


@protocols.command(
    "list",
    examples=(
        "lrfer-bench protocols list",
        "lrfer-bench protocols list --plugin my_idea.py",
    ),
)
@PLUGIN
@JSON
def list_protocols(plugins: tuple[Path, ...], as_json: bool) -> None:
    """Every protocol with its version and one line."""
    from lrfer_bench.plugins.degradation import protocol_of

    load_plugins(plugins)
    broken, rows = {}, []
    for entry in PROTOCOLS:
        try:
            protocol = protocol_of(entry.name)
        except UserError as error:
            broken[entry.name] = str(error)
            continue
        rows.append({"id": protocol.id, "summary": protocol.summary, "source": entry.source})
    if as_json:
        echo_json(rows)
    else:
        for row in rows:
            echo(f"{row['id']:<16} {row['summary']}  [{row['source']}]")
    echo_left_out({**left_out(), **broken})


@protocols.command(
    "show",
    examples=(
        "lrfer-bench protocols show bicubic",
        "lrfer-bench protocols show camera",
    ),
)
@click.argument("name", shell_complete=completing.one(completing.protocols))
@PLUGIN
@JSON
def show_protocol(name: str, plugins: tuple[Path, ...], as_json: bool) -> None:
    """Show what a protocol does, its hash here, and whether its pixels are the golden ones."""
    load_plugins(plugins)
    from lrfer_bench.plugins.degradation import protocol_of
    from lrfer_bench.protocols.golden import protocol_hash, verdict

    protocol = protocol_of(name)
    details = protocol.details or (type(protocol).__doc__ or "")
    digest, said = protocol_hash(protocol), verdict(protocol)
    if as_json:
        about = {"id": protocol.id, "summary": protocol.summary, "details": details}
        echo_json({**about, "hash": digest, "verdict": said})
        return
    echo(f"{protocol.id}: {protocol.summary}")
    echo(click.wrap_text(details, 100))
    echo(f"size: ceil(side / scale); hash on this machine: {digest}; {said}")
