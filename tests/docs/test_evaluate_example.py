"""The network that docs/evaluate.md shows is evaluated as it stands there, both ways."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from folders import ROOT

from lrfer_bench.store.schema import Record
from lrfer_bench.store.store import Store

SAVE = """
import torch
from net import Net
torch.manual_seed(0)
net = Net().eval()
torch.save(net.state_dict(), "net.pth")
torch.jit.trace(net, torch.zeros(2, 1, 48, 48)).save("net.pt")
"""


def test_the_example_answers_alike_as_a_class_and_as_torchscript(
    lrfer: Any, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / "evaluate.md").read_text(encoding="utf-8")
    (net,) = re.findall(r'```python\n("""net\.py.*?)```', text, flags=re.DOTALL)
    (tmp_path / "net.py").write_text(net)
    made = subprocess.run(
        [sys.executable, "-c", SAVE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    results = tmp_path / "results"
    for words in (["net.py:Net", "net.pth"], ["net.py:scripted", "net.pt", "--name", "scripted"]):
        model, weights = (tmp_path / word for word in words[:2])
        asked = ["--weights", weights, *words[2:], "--scales", "8", "--no-report"]
        done = lrfer("evaluate", model, *asked, "--results", results, "--workers", "1")
        assert done.returncode == 0, done.stderr
    records = [record for record in Store(results).scan() if isinstance(record, Record)]
    assert {record.method.name for record in records} == {"net", "scripted"}
    first, second = (Store(results).read_logits(record).logits for record in records)
    assert first.shape == (1400, 7) and abs(first - second).max() < 1e-4
