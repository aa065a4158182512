"""How long the trainings behind the pages took: computed from the records."""

from __future__ import annotations

from folders import REFERENCE, ROOT

from lrfer_bench.reporting.frame import load


def test_what_the_trainings_were_is_what_the_records_say() -> None:
    """The minutes that one of FER2013 took on a processor."""
    minutes = [
        sum(epoch.seconds for epoch in r.record.history) / 60
        for r in load([REFERENCE]).results
        if r.record.dataset.name == "fer2013"
        and r.record.train.protocol == "bicubic@1"
        and r.record.history
        and "gpu" not in r.record.environment
    ]
    took = f"which took {min(minutes):.0f} to {max(minutes):.0f} minutes of a core each"
    assert took in (ROOT / "README.md").read_text()


def test_times_are_of_one_processor_alone() -> None:
    told = [r.record.environment for r in load([REFERENCE]).results if r.record.metrics]
    for each in ("latency", "training"):
        assert {environment[f"{each}_alone"] for environment in told} == {"yes"}
        (device,) = {environment[f"{each}_device"] for environment in told}
        assert "Intel(R) Xeon(R) Processor @ 2.50GHz" in device
        assert {environment[f"{each}_threads"] for environment in told} == {"1"}
    page = " ".join((ROOT / "docs" / "results.md").read_text().split())
    assert "alone on one thread of an Intel Xeon at 2.50 GHz" in page
