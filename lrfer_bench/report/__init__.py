"""Tables, curves, pictures and the page, from records only. Called as a function, it makes a report: see library.report."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Report(ModuleType):
    """So that `lrfer_bench.report("results")` works although a package has that name."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from lrfer_bench.library import report

        return report(*arguments, **options)


sys.modules[__name__].__class__ = _Report
