"""Prints the lowest version that pyproject.toml admits of every dependency, for pip's -c.

`make test-lowest` installs these in an environment of its own, so that a lower bound that is too
low is found here and not by a user.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def lowest(project: dict[str, Any], extras: tuple[str, ...]) -> Iterator[str]:
    """NAME==BOUND for each dependency of the program and of these extras, as far as it has one."""
    optional = project["optional-dependencies"]
    for text in [*project["dependencies"], *(line for extra in extras for line in optional[extra])]:
        wanted = Requirement(text)
        bounds = [bound.version for bound in wanted.specifier if bound.operator == ">="]
        if bounds and (wanted.marker is None or wanted.marker.evaluate()):
            yield f"{wanted.name}=={bounds[0]}"


if __name__ == "__main__":
    content = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    print("\n".join(dict.fromkeys(lowest(content["project"], tuple(sys.argv[1:])))))
