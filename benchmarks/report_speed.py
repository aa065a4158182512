"""How long a report of 10,000 records takes.

20 methods, 5 scales, 5 data sets, 4 protocols, 5 seeds; logits on disk.

    python benchmarks/report_speed.py
        makes the records in a temporary folder (about 1 GB, some minutes)
    python benchmarks/report_speed.py --folder DIR
        makes them there, or uses those it finds

Prints seconds of one core (and of the wall) for tables and curves, for the bootstrap on top of
them, and for the page; the page's size; and, where Chromium is installed, the mean of ten sorts.
The goals stand beside each figure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from lrfer_bench.reporting import page
from lrfer_bench.reporting.collect import Options, Report, collect
from lrfer_bench.reporting.make import write
from lrfer_bench.scoring.metrics import score
from lrfer_bench.store.answers import Logits
from lrfer_bench.store.schema import (
    Cost,
    DatasetPart,
    Epoch,
    MethodPart,
    Record,
    SelectionPart,
    TestPart,
    TrainPart,
    checksum,
)
from lrfer_bench.store.store import Store

CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
SCALES = (2, 3, 4, 6, 8)
IMAGES = 3589


def make(folder: Path, methods: int, sets: int, protocols: int, seeds: int) -> int:
    """Write the records and return how many there are.

    Files are not synced one by one, which only a real run needs.
    """
    store = Store(folder)
    store.records.mkdir(parents=True, exist_ok=True)
    store.logits.mkdir(exist_ok=True)
    count = 0
    for k in range(sets):
        rng = np.random.default_rng(k)
        labels, hard, clean = (
            rng.integers(0, 7, IMAGES),
            rng.normal(0, 1.5, IMAGES),
            np.arange(IMAGES) >= 288,
        )
        for method in range(methods):
            for p in range(protocols):
                for scale in SCALES:
                    for seed in range(seeds):
                        skill = 1.0 - 0.15 * scale + 0.03 * method + rng.normal(0, 0.03)
                        right = rng.random(IMAGES) < 1 / (1 + np.exp(-(skill - hard)))
                        answers = _answers(right, labels, clean, rng)
                        _save(store, _record((k, method, p, scale, seed), answers), answers)
                        count += 1
    return count


def _answers(
    right: np.ndarray, labels: np.ndarray, clean: np.ndarray, rng: np.random.Generator
) -> Logits:
    logits = rng.normal(0, 1, (IMAGES, 7)).astype(np.float32)
    said = np.where(right, labels, (labels + rng.integers(1, 7, IMAGES)) % 7)
    logits[np.arange(IMAGES), said] = (
        logits.max(axis=1) + rng.random(IMAGES).astype(np.float32) + 0.1
    )
    return Logits(logits, labels, clean)


def _record(place: tuple[int, ...], answers: Logits) -> Record:
    k, method, p, scale, seed = place
    protocol = ("bicubic@1", "bicubic-noaa@1", "area@1", "camera@1")[p]
    history = [
        Epoch(epoch=e, seconds=70.0, losses={"ce": 2 / e}, val_accuracy=0.3 + 0.02 * e)
        for e in range(1, 15)
    ]
    return Record(
        key=hashlib.sha256(repr(place).encode()).hexdigest(),
        status="finished",
        dataset=DatasetPart(
            name=f"faces{k}", fingerprint=hashlib.sha256(bytes([k])).hexdigest(), classes=CLASSES
        ),
        method=MethodPart(name=f"method{method:02d}", version="1", source="lrfer-bench 0.1.0"),
        train=TrainPart(protocol=protocol, scales=[scale]),
        test=TestPart(protocol=protocol, scale=scale, size_px=-(-48 // scale)),
        seed=seed,
        preset="cpu@1",
        selection=SelectionPart(rule="last", epoch=14, epochs=14),
        metrics=score(answers.logits, answers.labels, answers.clean),
        cost=Cost(
            parameters=690_000,
            macs=20_000_000 + 1_000_000 * method,
            latency_ms=2.0 + 0.1 * method,
            throughput=900.0,
            train_seconds=1000.0,
            train_seconds_with_stages=1000.0,
            peak_memory_mb=700.0,
        ),
        history=history,
        environment={"python": "3.11", "torch": "2.14.1", "processor": "made up"},
    )


def _save(store: Store, record: Record, answers: Logits) -> None:
    data = answers.to_bytes()
    whole = record.model_copy(update={"logits_sha256": hashlib.sha256(data).hexdigest()})
    (store.logits / f"{whole.stem}.npz").write_bytes(data)
    sealed = whole.model_copy(
        update={"content_sha256": checksum(json.loads(whole.model_dump_json()))}
    )
    (store.records / f"{whole.stem}.json").write_text(sealed.model_dump_json(indent=1) + "\n")


def timed(what: str, goal: str, action: Callable[[], Report]) -> tuple[Report, float]:
    """Run it, print what it took, and return the seconds of the processor."""
    core, wall = time.process_time(), time.perf_counter()
    result = action()
    core, wall = time.process_time() - core, time.perf_counter() - wall
    print(f"{what:<44} {core:6.1f} s of one core, {wall:6.1f} s of the wall   goal: {goal}")
    return result, core


def report(folder: Path, out: Path, resamples: int) -> Report:
    found = collect([folder], Options(resamples=resamples, pictures="curves", page=False))
    write(found, out)
    return found


def sorting(path: Path) -> float | None:
    """Milliseconds of the page's own thread for a sort in Chromium, mean of ten.

    Layout is included. None without a browser.
    """
    program = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if program is None:
        return None
    with sync_playwright() as playwright:
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        tab.goto(path.as_uri())
        tab.wait_for_timeout(500)
        probe = tab.context.new_cdp_session(tab)
        probe.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = _busy(probe)
        for name in (
            "accuracy:2",
            "accuracy:4",
            "area",
            "macs",
            "method",
            "accuracy:2",
            "accuracy:8",
            "macro_f1",
            "rank",
            "parameters",
        ):
            click = (
                "id => { document.querySelector(`[data-sort='${id}']`).click(); "
                "document.body.offsetHeight; }"
            )
            tab.evaluate(click, name)
        found = _busy(probe) - before
        browser.close()
    return 1000 * found / 10


def _busy(probe: Any) -> float:
    """Seconds that the page's thread has worked so far."""
    metrics = probe.send("Performance.getMetrics")["metrics"]
    return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument(
        "--small", action="store_true", help="200 records instead of 10,000, to try it out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        if not (folder / "records").is_dir():
            start = time.perf_counter()
            count = make(folder, *((4, 1, 2, 5) if arguments.small else (20, 5, 4, 5)))
            print(f"made {count:,} records in {time.perf_counter() - start:.0f} s")
        out = Path(temporary) / "out"
        plain, without = timed(
            "tables and curves, no bootstrap", "20 s", lambda: report(folder, out, 0)
        )
        full, with_all = timed(
            "tables and curves, 1,000 resamples", "80 s", lambda: report(folder, out, 1000)
        )
        print(
            f"{'the bootstrap alone':<44} {with_all - without:6.1f} s of one core {'':21}   goal: "
            "60 s"
        )
        core = time.process_time()
        (out / "index.html").write_text(page.render(full), encoding="utf-8")
        size = (out / "index.html").stat().st_size / 1e6
        print(
            f"{'page':<44} {time.process_time() - core:6.1f} s of one core, {size:.2f} MB   goal: "
            "5 MB"
        )
        sort = sorting(out / "index.html")
        told = "not measured, no Chromium or playwright" if sort is None else f"{sort:.0f} ms"
        print(f"{'sorting the page':<44} {told}   goal: 100 ms")
        print(f"{len(plain.results):,} records, {len(full.rows):,} rows, {len(full.boards)} boards")


if __name__ == "__main__":
    main()
