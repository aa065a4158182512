"""Which line Python names for the call of a class's decorator.

Python 3.10 names the line of the class, later ones the decorator's own.
"""

from __future__ import annotations

import sys


def named(decorator: int) -> int:
    """The line that is named for a decorator that stands alone on the line before its class."""
    return decorator if sys.version_info >= (3, 11) else decorator + 1
