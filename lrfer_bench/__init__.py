"""lrfer-bench compares methods that recognise facial expressions in faces of a few pixels.

    import lrfer_bench

    lrfer_bench.plan(["direct", MyMethod])
    trials = lrfer_bench.tune([MyMethod, "kd"], scales=4)
    table = lrfer_bench.run(methods=["direct", MyMethod], scales=[2, 4])
    lrfer_bench.report("results")
    lrfer_bench.compare("my-method", "direct")
    table = lrfer_bench.load_results("results")
    predict = lrfer_bench.load_model("direct", scale=4)

What an author of methods, data sets or protocols needs is in lrfer_bench.api. These names are
loaded when they are first asked for: importing lrfer_bench takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lrfer_bench.calls.tools import compare as compare
    from lrfer_bench.calls.tools import merge as merge
    from lrfer_bench.calls.tools import plan as plan
    from lrfer_bench.calls.tools import predict as predict
    from lrfer_bench.calls.tools import verify as verify
    from lrfer_bench.errors import UserError as UserError
    from lrfer_bench.library import evaluate as evaluate
    from lrfer_bench.library import load_model as load_model
    from lrfer_bench.library import load_results as load_results
    from lrfer_bench.library import report as report
    from lrfer_bench.library import run as run
    from lrfer_bench.library import tune as tune

__version__ = "0.1.0"

_LAZY = {
    **dict.fromkeys(
        ("run", "tune", "evaluate", "report", "load_results", "load_model"), "lrfer_bench.library"
    ),
    **dict.fromkeys(("compare", "plan", "verify", "merge", "predict"), "lrfer_bench.calls.tools"),
    "UserError": "lrfer_bench.errors",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
