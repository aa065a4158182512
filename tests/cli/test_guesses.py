"""Wrong guesses are answered by what was meant."""

from __future__ import annotations

from pathlib import Path

import in_process
import pytest

from lrfer_bench.cli.help import MEANT
from lrfer_bench.contract.preset import MEANT as PRESETS_MEANT
from lrfer_bench.contract.preset import PRESETS
from lrfer_bench.errors import did_you_mean, nearest


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("run --rate 0.1", "did you mean --lr?"),
        ("run --batch-size 64", "did you mean --batch?"),
        ("run --num-epochs 3", "did you mean --epochs?"),
        ("run --method direct", "did you mean --methods?"),
        ("plan --resolution 12", "did you mean --scales?"),
        ("report --out-dir here", "did you mean --results?"),
        ("report --colour red", "its --help lists them"),
        ("run --methods GME_Net", 'did you mean "gmenet"?'),
        ("run --protocols noaa", 'did you mean "bicubic-noaa"?'),
        ("run --protocols Camera", 'did you mean "camera"?'),
        ("run --scales 4x", "did you mean 4?"),
        ("run --dataset raf-db", 'did you mean "rafdb"?'),
        ("presets show GPU", 'did you mean "paper"?'),
        ("datasets show fer+", 'did you mean "fer2013" or "ferplus"?'),
        ("presets show quick paper", '"paper": leave it out'),
        ("run --methods direct gmenet", "commas and no blanks"),
    ],
)
def test_a_guess_is_answered(
    words: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = in_process.lrfer(*words.split())
    assert said.status == 2 and meant in said.err and said.err.count("\n") == 1, said.err
    assert not list(tmp_path.iterdir())


def test_what_newcomers_say_leads_to_what_there_is() -> None:
    assert set(PRESETS_MEANT.values()) <= {preset.name for preset in PRESETS.values()}
    for word in (*MEANT, *PRESETS_MEANT):
        assert word == word.casefold() and word.isalnum(), "compared by letters and digits"


def test_nearest_goes_from_sure_to_likely() -> None:
    known = ["fer2013", "ferplus", "rafdb", "fskd", "fsrfer"]
    assert nearest("FER-2013", known) == ["fer2013"]
    assert nearest("fs", known) == ["fskd", "fsrfer"]
    assert nearest("rafbd", known) == ["rafdb"]
    assert nearest("plus", known) == ["ferplus"]
    assert nearest("f", known) == [] and nearest("?", known) == []
    assert nearest("gpu", ["paper", "quick"], {"gpu": "paper"}) == ["paper"]
    assert nearest("gpu", ["quick"], {"gpu": "paper"}) == [], "what is not here is never named"
    assert did_you_mean("zzz", known) == "known: fer2013, ferplus, fskd, fsrfer, rafdb"
