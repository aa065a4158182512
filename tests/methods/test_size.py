"""The network of a method and the classifier of the preset: how large each is."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from builtin import LISTED
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import fresh, plan_of

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


@pytest.mark.parametrize("name", ["direct", "kd", "kd[kd_weight=0]", "multires", "gmenet", "askd"])
def test_a_classifier_that_nobody_knows_is_refused_before_anything_is_trained(name: str) -> None:
    preset = dataclasses.replace(tiny_preset(), classifier="resnet-18")
    with pytest.raises(UserError, match=r'no classifier "resnet-18": did you mean'):
        notes_of(plan_of([name], (2,), preset, REF))


def test_a_side_that_a_lean_network_does_not_look_at_is_refused() -> None:
    for method, name in (("direct", "direct"), ("classifier", "kd")):
        plan = plan_of([name], (2,), ref=REF, **{method: {"input_size": 96}})
        with pytest.raises(UserError, match="leave out input_size, or choose a timm name"):
            notes_of(plan)


def test_norms_for_each_size_need_norms() -> None:
    preset = dataclasses.replace(tiny_preset(), classifier="convnext_atto")
    with pytest.raises(UserError, match=r"rsnet has batch norms .*, convnext_atto, has none"):
        notes_of(plan_of(["rsnet"], (2,), preset, data_ref(side=48)))


@pytest.mark.parametrize("name", LISTED)
def test_a_classifier_without_maps_is_refused_at_once_by_those_that_need_them(name: str) -> None:
    preset = dataclasses.replace(tiny_preset(), classifier="test_vit")
    ref = data_ref(side=160)
    try:
        notes_of(plan_of([name], (8,), preset, ref))
    except UserError as error:
        assert name in {"fskd", "fitnet", "srfer", "fsrfer", "qualnet", "rsnet"}
        assert 'the classifier "test_vit" ends in' in str(error) or name == "rsnet"
        return
    method = fresh(name, 8, preset, ref)
    batch = batch_of(made_faces(4, side=160), (8,))
    if method.trains != "nothing":
        method.update(batch, method.train().optimizers())
    with torch.no_grad():
        assert method.eval()(batch.lr).isfinite().all()


@pytest.mark.parametrize(("name", "scales"), [("qualnet", (1,)), ("qualnet[pixel=0]", (8,))])
def test_maps_are_needed_without_a_teacher_too(name: str, scales: tuple[int, ...]) -> None:
    preset = dataclasses.replace(tiny_preset(), classifier="test_vit")
    with pytest.raises(UserError, match=r'"test_vit" ends in .* choose a convolutional one'):
        notes_of(plan_of([name], scales, preset, data_ref(side=160)))


@pytest.mark.parametrize("name", ["gmenet", "askd"])
def test_at_hr_a_method_says_that_it_has_no_teacher(name: str) -> None:
    (note,) = notes_of(plan_of([name], (1, 2), ref=REF))
    assert note == f"{name}: at scale 1 there is no teacher, so kd_weight changes nothing there"
    assert notes_of(plan_of([f"{name}[kd_weight=0]"], (1,), ref=REF)) == ()
