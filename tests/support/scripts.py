"""Plugin files as texts, for tests that write several edits of one."""

from __future__ import annotations

MINE = """
from lrfer_bench.api import Method, register_method

@register_method("mine")
class Mine(Method):
    number = {}
"""
"""A method that tells its edits apart: fill in the number."""
