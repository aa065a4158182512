"""Names: nearest ones, owners, broken plugins contained, cards without imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lrfer_bench.contract.cards import DatasetCard, MethodCard, card_of, read_card
from lrfer_bench.errors import UserError, did_you_mean
from lrfer_bench.plugins.loading import load_plugin
from lrfer_bench.plugins.registry import DATASETS, METHODS, PLUGIN_ERRORS, PROTOCOLS, Registry

FIRST_HOUR = {"oracle", "enlarge", "direct", "multires"}


def test_built_in_things_come_by_entry_points() -> None:
    assert set(METHODS.names()) >= FIRST_HOUR
    assert set(DATASETS.names()) >= {"synthface", "fer2013", "ferplus", "rafdb", "expw", "folder"}
    assert set(PROTOCOLS.names()) == {"bicubic", "bicubic-noaa", "area", "camera"}
    assert all(
        entry.source.startswith("lrfer-bench ") for entry in METHODS if entry.name in FIRST_HOUR
    )


@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_has_a_card_that_fits_its_settings(name: str) -> None:
    from lrfer_bench.planning.settings import settings_of

    entry = METHODS.entry(name)
    card = card_of(entry, MethodCard)
    assert card.summary and (card.stated or card.ours)
    unknown = set(card.settings) - set(settings_of(entry.load()))
    assert not unknown, (
        f"the card of {name} explains settings that the code does not have: {unknown}"
    )
    assert not set(settings_of(entry.load())) - set(card.settings), (
        f"the card of {name} leaves out settings"
    )


@pytest.mark.parametrize(
    "name", ["synthface", "fer2013", "ferplus", "rafdb", "expw", "affectnet", "folder"]
)
def test_every_dataset_has_a_card(name: str) -> None:
    assert card_of(DATASETS.entry(name), DatasetCard).summary


def test_listing_imports_no_method_and_no_torch() -> None:
    code = (
        "import sys\n"
        "from lrfer_bench.cli import cli\n"
        "for args in (['--help'], ['methods', 'list'], ['methods', 'list', '--json'], ['presets', "
        "'list']):\n"
        "    cli.main(args=args, standalone_mode=False)\n"
        "bad = [m for m in ('torch', 'pandas', 'numpy', 'timm', 'lrfer_bench.methods.references') "
        "if m in sys.modules]\n"
        "sys.exit(f'imported: {bad}' if bad else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "multires" in done.stdout


def test_a_taken_name_is_refused_and_both_owners_are_named() -> None:
    registry = Registry("method", "no.such.group")
    registry.add("mine", "a.module:Mine", "first 1.0")
    registry.add("mine", "a.module:Mine", "first 1.0")  # the same thing twice is no harm
    with pytest.raises(UserError, match=r'name "mine" of second 2.0 is taken by first 1.0'):
        registry.add("mine", "b.module:Mine", "second 2.0")


def test_did_you_mean() -> None:
    assert did_you_mean("gmnet", ["gmenet", "direct"]) == 'did you mean "gmenet"?'
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", []) == "none is known"


def test_a_broken_plugin_is_named_and_harms_nobody(tmp_path: Path) -> None:
    for number, body in enumerate(
        ["import not_there", "raise RuntimeError('no')", "def (:", "import sys\nsys.exit(4)"]
    ):
        file = tmp_path / f"broken{number}.py"
        file.write_text(body)
        load_plugin(file)
        assert f"broken{number}.py:" in PLUGIN_ERRORS.pop(str(file))
    assert set(METHODS.names()) >= FIRST_HOUR
    with pytest.raises(UserError, match="does not exist"):
        load_plugin(tmp_path / "nowhere.py")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("summary = 1x", "cannot be read"),
        ('title = "no summary"', 'has no "summary"'),
        ('summary = "a"\nyaer = 1', '"yaer"'),
    ],
)
def test_bad_cards(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "x.card.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_card(path, MethodCard)


def test_a_former_name_is_nobody_elses() -> None:
    with METHODS.scope(), pytest.raises(UserError, match="former name"):
        METHODS.add("bicubic", type("Mine", (), {}), "mine.py")


def test_a_plugin_may_import_a_built_in_sibling_first(tmp_path: Path) -> None:
    """In a process of its own, where nobody has listed the methods before."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from lrfer_bench.methods.stages import Classifier\n"
        "from lrfer_bench.api import register_method\n"
        "@register_method('mine')\nclass Mine(Classifier):\n    'Mine.'\n"
    )
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from lrfer_bench.plugins.loading import load_plugin\n"
        "load_plugin(Path(sys.argv[1]))\n"
        "from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS\n"
        "assert not PLUGIN_ERRORS, PLUGIN_ERRORS\n"
        "assert METHODS.entry('mine').source.startswith('mine.py')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
