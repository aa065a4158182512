"""A newcomer's hour, timed: a fresh environment, a method of one's own, a table.

    python benchmarks/first_hour.py [FOLDER]

The wheel is installed outside the checkout. The steps are those of docs/first-hour.md, each with
its seconds. What pip has to fetch or to copy is the first of them; no package is taken from the
environment that this script runs in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT_MINUTES = 10.0


def timed(label: str, command: list[str], folder: Path) -> float:
    """Seconds of one step; its last words where it fails."""
    environment = {
        k: v
        for k, v in os.environ.items()
        if k not in ("PYTHONPATH", "LRFER_PLUGINS", "OMP_NUM_THREADS")
    }
    environment["LRFER_CACHE"] = str(folder / "cache")
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - started
    print(f"{took:7.1f} s  {label}", flush=True)
    if done.returncode != 0:
        sys.exit(f"{label} ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")
    return took


def edit(path: Path) -> None:
    """What stands for the newcomer's idea: another width and weight."""
    text = path.read_text()
    changed = text.replace(
        "width: int = 24, detail_weight: float = 1.0", "width: int = 32, detail_weight: float = 0.5"
    )
    if changed == text:
        sys.exit(f"{path} has no such line to edit any more")
    path.write_text(changed)


def main() -> None:
    folder = (
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="first-hour-"))
    )
    folder.mkdir(parents=True, exist_ok=True)
    wheels = folder / "wheels"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(wheels),
            str(ROOT),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (wheel,) = wheels.glob("*.whl")
    program = str(folder / ".venv" / "bin" / "lrfer-bench")
    total = timed("python -m venv .venv", [sys.executable, "-m", "venv", ".venv"], folder)
    total += timed(
        "pip install WHEEL",
        [str(folder / ".venv" / "bin" / "pip"), "install", "-q", str(wheel)],
        folder,
    )
    total += timed("new-method", [program, "new-method", "my-idea"], folder)
    edit(folder / "my_idea.py")
    run = ["run", "--plugin", "my_idea.py", "--methods", "my-idea,gmenet", "--scales", "2,4"]
    for label, words in (
        ("doctor", ["doctor"]),
        ("methods list", ["methods", "list"]),
        ("check-method my_idea.py", ["check-method", "my_idea.py"]),
        (" ".join(run), run),
        ("report", ["report", "--methods", "my-idea,gmenet"]),
        ("compare my-idea gmenet", ["compare", "my-idea", "gmenet"]),
    ):
        total += timed(label, [program, *words], folder)
    print(
        f"{total / 60:.1f} minutes of the machine in all; the bar is {LIMIT_MINUTES:.0f}; "
        f"{folder / 'results' / 'report'}"
    )


if __name__ == "__main__":
    main()
