"""Keys name results, seeds come from names. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """The one spelling of a value: sorted names, no spaces, ASCII; NaN and infinity are refused.

    >>> canonical_json({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def same(one: Any, other: Any) -> bool:
    """Whether two values have one spelling, and so one key: to Python 1, 1.0 and True are equal.

    >>> same(1, 1.0), same([4, 4], (4, 4))
    (False, True)
    """
    return canonical_json(one) == canonical_json(other)


def key_of(value: Any) -> str:
    """sha256 of the canonical JSON, 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def seed_for(*names: object) -> int:
    """A seed in 0..2**63-1 that depends on the names alone.

    So adding one thing never moves another's numbers.

    >>> seed_for("key", "init") == seed_for("key", "init") != seed_for("key", "order")
    True
    """
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


SEAL = "content_sha256"
"""The field of a JSON file that holds a checksum of all its other fields."""


def checksum(content: Mapping[str, Any]) -> str:
    """sha256 of what is in a JSON file without its own SEAL.

    Against slips and edits by hand, not against forgers.
    """
    return key_of({name: value for name, value in content.items() if name != SEAL})


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a JSON file with its checksum as the last field."""
    plain = {name: value for name, value in content.items() if name != SEAL}
    return {**plain, SEAL: checksum(plain)}


def is_intact(content: Mapping[str, Any]) -> bool:
    """Whether a checksum fits its content. Files of earlier versions have none, and are taken."""
    return SEAL not in content or content[SEAL] == checksum(content)
