"""lrfer-bench protocols list|show"""

from __future__ import annotations

import click

from lrfer_bench.registry import PROTOCOLS


@click.group()
def protocols() -> None:
    """List the degradations, show one.

    \b
    Examples:
      lrfer-bench protocols list
      lrfer-bench protocols show camera
    """


@protocols.command("list")
def list_protocols() -> None:
    """Every protocol with its version and one line."""
    for entry in PROTOCOLS:
        protocol = entry.load()()
        click.echo(f"{protocol.id:<16} {protocol.summary}  [{entry.source}]")


@protocols.command("show")
@click.argument("name")
def show_protocol(name: str) -> None:
    """What a protocol does, its hash on this machine, and whether its pixels are the golden ones."""
    from lrfer_bench.plan import protocol_of
    from lrfer_bench.protocols.golden import protocol_hash, verdict

    protocol = protocol_of(name)
    click.echo(f"{protocol.id}: {protocol.summary}")
    click.echo(click.wrap_text(protocol.details or (type(protocol).__doc__ or ""), 100))
    click.echo(f"size: ceil(side / scale); hash on this machine: {protocol_hash(protocol)}; {verdict(protocol)}")
