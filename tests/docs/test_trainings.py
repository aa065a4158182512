"""How many trainings stand behind the pages, and how long they took: computed from the records."""

from __future__ import annotations

from folders import REFERENCE, REFERENCE_GPU, ROOT
from published import PAGE

from lrfer_bench.reporting.frame import load

PLAIN = " ".join(PAGE.read_text(encoding="utf-8").split())


def test_what_the_trainings_were_is_what_the_records_say() -> None:
    """Their number under seed 1, and the minutes that one of FER2013 took."""
    of_gpu = [
        r
        for r in load([REFERENCE_GPU]).results
        if r.record.seed == 1 and r.record.preset == "cpu@2"
    ]
    own = {(r.method, *r.record.train.scales) for r in of_gpu if r.record.history}
    stages = {stage.key for r in of_gpu for stage in r.record.stages.values()}
    assert f"of {len(own) + len(stages)} trainings, two seeds differ" in PLAIN
    minutes = [
        sum(epoch.seconds for epoch in r.record.history) / 60
        for r in load([REFERENCE]).results
        if r.record.dataset.name == "fer2013"
        and r.record.train.protocol == "bicubic@1"
        and r.record.history
    ]
    took = f"which took {min(minutes):.0f} to {max(minutes):.0f} minutes of a core each"
    assert took in (ROOT / "README.md").read_text()
