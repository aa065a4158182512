"""A picture is drawn again only where it would change."""

from __future__ import annotations

import subprocess
import sys

import pytest
from folders import ROOT

from lrfer_bench.reporting import draw
from lrfer_bench.reporting.collect import Options, collect
from lrfer_bench.reporting.make import write


@pytest.fixture
def drawn(monkeypatch):
    """Names of the pictures drawn since; a drawing is a file with its mark."""
    names: list[str] = []

    def save(figure, path, mark=""):
        names.append(path.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        files = [path.with_name(f"{path.name}.{ending}") for ending in ("png", "svg")]
        for file in files:
            file.write_text(mark)
        return files

    monkeypatch.setattr(draw, "save", save)
    return names


def small(factory, root, extra=False):
    world = factory.World(60)
    for name in ("direct", "other", *(("third",) if extra else ())):
        world.save(root, 0.5, method=name)


def report(root, pictures="changed", **options):
    asked = Options(resamples=100, pictures=pictures, **options)
    return write(collect([root], asked), root / "report")


def test_only_what_changed_is_drawn(factory, tmp_path, drawn):
    small(factory, tmp_path)
    first = report(tmp_path)
    assert "curves" in drawn and "confusion" in drawn
    count = len(drawn)
    assert report(tmp_path) == first and len(drawn) == count, "nothing new"
    (tmp_path / "report" / "curves.png").unlink()
    report(tmp_path)
    assert drawn[count:] == ["curves"], "what was deleted"
    report(tmp_path, title="Other")
    assert drawn[count + 1 :] == ["curves"], "the title stands in the curves only"
    report(tmp_path, "all")
    assert len(drawn) == 2 * count + 2, "all means all"
    small(factory, tmp_path, extra=True)
    report(tmp_path)
    assert len(drawn) == 3 * count + 2, "another record changes each of them"


def test_the_mark_stands_in_real_pictures(factory, tmp_path):
    from lrfer_bench.reporting.drawn import shows

    small(factory, tmp_path)
    files = report(tmp_path, "curves")
    pictures = [path for path in files if path.stem == "curves"]
    stamps = [path.stat().st_mtime_ns for path in pictures]
    assert len(pictures) == 2 and not shows(pictures, "0" * 64)
    assert report(tmp_path, "curves") == files
    assert [path.stat().st_mtime_ns for path in pictures] == stamps


def test_the_page_comes_before_the_slow_pictures_and_links_them_after(factory, tmp_path, drawn):
    small(factory, tmp_path)
    pages: list[str] = []
    asked = Options(resamples=100, pictures="changed")

    def tell(text: str) -> None:
        if "pareto-macs" in text and not pages:
            pages.append((tmp_path / "report" / "index.html").read_text())

    write(collect([tmp_path], asked), tmp_path / "report", tell)
    assert "curves.png" in pages[0] and "confusion.png" not in pages[0]
    assert "confusion.png" in (tmp_path / "report" / "index.html").read_text()


def test_nothing_to_draw_needs_no_matplotlib(factory, tmp_path):
    small(factory, tmp_path)
    report(tmp_path, "curves")
    code = (
        "import sys\n"
        "from lrfer_bench.cli.report import report\n"
        f"report(['--results', {str(tmp_path)!r}, '--resamples', '100', '--pictures', 'curves'],"
        " standalone_mode=False)\n"
        "bad = {'matplotlib', 'scipy.stats', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'imported: {bad}' if bad else 0)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
