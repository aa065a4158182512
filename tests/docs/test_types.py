"""mypy accepts the Python that README and docs show, as a reader's own mypy would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from folders import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = "shown"
"""The package that the examples stand in here; pyproject.toml lets mypy be milder with it."""


def blocks(page: Path) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def written(folder: Path) -> None:
    """Each block as a module of its own."""
    for page in PAGES:
        for number, text in enumerate(blocks(page)):
            name = f"{page.stem.replace('-', '_').lower()}_{number}.py"
            (folder / SHOWN / name).write_text(text, encoding="utf-8")


def test_mypy_accepts_the_examples_of_the_docs(tmp_path: Path) -> None:
    """By the project's own settings, so that what mypy knows of the package is read, not made."""
    (tmp_path / SHOWN).mkdir()
    (tmp_path / SHOWN / "__init__.py").touch()
    written(tmp_path)
    assert len(list((tmp_path / SHOWN).glob("*.py"))) >= 6
    (tmp_path / "my_idea.py").write_text(  # the guide's reader has written one
        "from lrfer_bench.api import Method\n\n\nclass MyIdea(Method):\n    pass\n"
    )
    (tmp_path / "net.py").write_text("from torch import nn\n\n\nclass Net(nn.Module):\n    pass\n")
    (tmp_path / SHOWN / "slip.py").write_text(
        "import lrfer_bench\n\nlrfer_bench.run('direct', scales=2.5)\n"
        "lrfer_bench.verify(near='yes')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(tmp_path / SHOWN)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "MYPYPATH": str(tmp_path)},
    )  # fmt: skip
    wrong = [line for line in done.stdout.splitlines() if ": error:" in line]
    slips = [line for line in wrong if "slip.py" in line]
    assert len(slips) == 2, f"mypy sees our types: {done.stdout}{done.stderr}"
    assert wrong == slips, "\n".join(wrong)
