"""The network of a method and the classifier of the preset: how large each is."""

from __future__ import annotations

import dataclasses

import pytest
from made import data_ref, tiny_preset
from small_models import plan_of

from lrfer_bench.contract.preset import PRESETS
from lrfer_bench.errors import UserError
from lrfer_bench.planning.notes import notes_of

OTHER = dataclasses.replace(tiny_preset(), classifier="resnet18@3x3")
HEAVY = dataclasses.replace(tiny_preset(), compute="large")
REF = data_ref(side=24)


@pytest.mark.parametrize("name", ["gmenet", "askd"])
def test_a_method_with_a_network_of_its_own_says_when_it_is_of_another_size(name: str) -> None:
    (small,) = notes_of(plan_of([name], (2,), OTHER, REF))
    assert "goes with the classifier lean, not with resnet18@3x3" in small
    (large,) = notes_of(plan_of([name], (2,), HEAVY, REF))
    assert f"goes with a GPU's preset, not with {HEAVY.classifier}" in large


@pytest.mark.parametrize("preset", PRESETS)
def test_built_in_presets_fit(preset: str) -> None:
    assert notes_of(plan_of(["gmenet", "askd", "direct"], (2,), PRESETS[preset], REF)) == ()


@pytest.mark.parametrize("name", ["direct", "kd", "multires"])
def test_a_classifier_that_nobody_knows_is_refused_before_anything_is_trained(name: str) -> None:
    preset = dataclasses.replace(tiny_preset(), classifier="resnet-18")
    with pytest.raises(UserError, match=r'no classifier "resnet-18": did you mean'):
        notes_of(plan_of([name], (2,), preset, REF))
