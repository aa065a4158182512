"""Presets by name and version, and what of them enters a key."""

from __future__ import annotations

import dataclasses

import pytest

from lrfer_bench.contract.preset import PRESETS, preset_of
from lrfer_bench.errors import UserError


def test_a_name_alone_is_the_newest_final_version() -> None:
    assert preset_of("cpu@1") is PRESETS["cpu@1"]
    for name in ("quick", "cpu", "paper"):
        versions = [preset.version for preset in PRESETS.values() if preset.name == name]
        assert versions == list(range(1, len(versions) + 1)), (
            "versions are counted and listed in order"
        )
        final = [p.version for p in PRESETS.values() if p.name == name and not p.draft]
        assert preset_of(name).version == final[-1]
        assert preset_of(f"{name}@1").version == 1


def test_a_draft_is_had_by_its_id_only() -> None:
    assert preset_of("paper") is PRESETS["paper@1"]
    assert preset_of("paper@2").content()["draft"] is True


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cpuu", 'did you mean "cpu"'),
        ("cpu@77", "cpu@1 and cpu@2"),
        ("cpu@", "cpu@1"),
        ("@1", "known:"),
    ],
)
def test_unknown_names_and_versions(name: str, words: str) -> None:
    with pytest.raises(UserError, match="no preset") as caught:
        preset_of(name)
    assert words in str(caught.value)


def test_what_version_1_is_stays_word_for_word() -> None:
    assert PRESETS["cpu@1"].content() == {
        "name": "cpu", "version": 1, "epochs": 14, "batch": 128, "lr": 0.1, "weight_decay": 5e-4,
        "label_smoothing": 0.1, "dropout": 0.2, "ema": 0.998, "selection": "last", "shift": 4,
        "compute": "small", "classifier": "lean",
    }  # fmt: skip


def test_every_later_field_counts_where_it_is_not_what_version_1_does() -> None:
    old = PRESETS["cpu@1"]
    changes = {
        "optimizer": "muon", "muon_lr": 0.05, "warm_up": 0.1, "ema_every": 4,
        "network_input": "by-scale", "draft": True, "precision": "bf16", "norm_bias_lr": 16.0,
        "flips": "alternating", "targets": "soft",
    }  # fmt: skip
    assert set(old.settings()) - set(old.content()) == set(changes)
    for field, value in changes.items():
        changed = dataclasses.replace(old, **{field: value})  # type: ignore[arg-type]
        assert changed.content() == {**old.content(), field: value}
