"""The metrics part of a record, and what scoring rests on."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from folders import ROOT
from pydantic import TypeAdapter, ValidationError

from lrfer_bench.scoring.metrics import score
from lrfer_bench.scoring.parts import Metrics, MetricsPart
from lrfer_bench.store.store import Record, Store, read_record

RECORDS = sorted((ROOT / "results").glob("reference*/records/*.json"))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_a_reference_record_reads_and_gives_the_same_bytes(path):
    """read_record() checks the seal; its metrics are dataclasses and come out as they went in."""
    record = read_record(path)
    assert isinstance(record, Record), record
    assert isinstance(record.metrics, MetricsPart) and isinstance(record.metrics.all, Metrics)
    assert record.model_dump_json(indent=1) + "\n" == path.read_text(encoding="utf-8")


def test_logits_still_give_the_metrics_of_the_reference_records():
    for path in RECORDS[::5]:
        store = Store(path.parents[1])
        record = read_record(path)
        logits = store.read_logits(record)
        found = score(logits.logits, logits.labels, logits.clean)
        assert found.all.confusion == record.metrics.all.confusion
        for name in ("accuracy", "balanced_accuracy", "macro_f1", "nll", "ece"):
            for part in ("all", "clean"):
                ours, theirs = (getattr(getattr(m, part), name) for m in (found, record.metrics))
                assert ours == pytest.approx(theirs, abs=1e-6)


GOOD = {
    "n": 1, "accuracy": 1.0, "balanced_accuracy": 1.0, "macro_f1": 1.0, "nll": 0.1, "ece": 0.0,
    "recall": [1.0, None], "confusion": [[1, 0], [0, 0]],
}  # fmt: skip


@pytest.mark.parametrize("change", [{"brier": 0.1}, {"n": "many"}, {"recall": [[1.0]]}])
def test_what_is_not_declared_is_refused(change):
    adapter = TypeAdapter(Metrics)
    assert adapter.validate_python(GOOD).recall == [1.0, None]
    with pytest.raises(ValidationError):
        adapter.validate_python(GOOD | change)


def test_a_field_that_is_missing_is_refused():
    with pytest.raises(ValidationError):
        TypeAdapter(Metrics).validate_python({k: v for k, v in GOOD.items() if k != "ece"})


def test_scoring_imports_nothing_of_ours():
    for path in (ROOT / "lrfer_bench" / "scoring").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                module = node.module or ""
                assert node.level == 0 and (
                    not module.startswith("lrfer_bench") or module.startswith("lrfer_bench.scoring")
                ), f"{path}:{node.lineno}"


def test_scoring_needs_no_torch():
    modules = [path.stem for path in (ROOT / "lrfer_bench" / "scoring").glob("[a-z]*.py")]
    assert len(modules) >= 7
    code = "import sys\n" + "\n".join(f"import lrfer_bench.scoring.{name}" for name in modules)
    code += "\nsys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
