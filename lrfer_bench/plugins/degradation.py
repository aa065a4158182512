"""From a protocol's name or id to the degradation itself."""

from __future__ import annotations

from lrfer_bench.contract.protocol import HR, Identity, Protocol
from lrfer_bench.errors import UserError
from lrfer_bench.plugins.registry import PROTOCOLS, Entry


def protocol_of(name: str) -> Protocol:
    """The protocol of a name or id ("bicubic", "bicubic@1", "hr").

    UserError for an unknown name, for another version than the one here, for what no protocol can
    be made of, and for a class whose own name is not the one it is registered under.
    """
    if name == HR:
        return Identity()
    bare, _, version = name.partition("@")
    protocol = _made(PROTOCOLS.entry(bare))
    if getattr(protocol, "name", None) != bare:
        own = getattr(protocol, "name", None)
        raise UserError(
            f'the protocol "{bare}" of {PROTOCOLS.entry(bare).source} calls itself {own!r} in its '
            f'records: write name = "{bare}" into its class'
        )
    if version and version != str(protocol.version):
        raise UserError(
            f"protocol {name} is not here: this lrfer-bench has {protocol.id}, and versions never "
            "mix in one table"
        )
    return protocol


def _made(entry: Entry) -> Protocol:
    """UserError for a class without degrade(), or whose __init__ fails, and for no class at all."""
    cls = entry.load()
    try:
        protocol = cls()
    except Exception as error:
        raise UserError(
            f'no protocol "{entry.name}" can be made of {entry.source}: {type(error).__name__}: '
            f"{error}; register a class with degrade() and an __init__ without arguments"
        ) from error
    if not isinstance(protocol, Protocol):
        raise UserError(
            f'the protocol "{entry.name}" of {entry.source} is a {type(protocol).__name__}: derive '
            "its class from lrfer_bench.api.Protocol"
        )
    if entry.built_in:
        protocol.guarded = False
    return protocol


def code_of(name: str) -> str:
    """The hash of the plugin file that a protocol came from: an edited one makes other pixels.

    "" for the built-in ones, whose version is their pixels. name: a name or an id
    """
    return "" if name == HR else PROTOCOLS.entry(name.partition("@")[0]).code


def source_of(name: str) -> str:
    """Where a protocol came from: "lrfer-bench 0.1.0", "occlude.py sha256:0a1b2c3d4e5f", "" for hr.

    name: a name or an id
    """
    return "" if name == HR else PROTOCOLS.entry(name.partition("@")[0]).source
