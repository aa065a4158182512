"""The settings that gmenet got later: what each one changes in its network or its loss."""

from __future__ import annotations

from typing import Any

import by_numpy
import numpy as np
import pytest
import torch
from by_numpy import number, numbers
from made import batch_of, data_ref, made_faces
from small_models import fresh, plan_of

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.nets.attention import Gates
from lrfer_bench.running.cost import macs_used

REF = data_ref(side=24)
LATER = {
    "centred": True,
    "gate_norm": True,
    "gate_start": "identity",
    "heads": 2,
    "global_at": "quarter-narrow",
}


def batch() -> Any:
    return batch_of(made_faces(8, side=24), (4,))


@pytest.mark.parametrize("setting", LATER)
def test_at_its_default_it_is_in_no_key_and_else_in_every_one(setting: str) -> None:
    plain = plan_of(["gmenet"], (4,))
    default = {
        "centred": False,
        "gate_norm": False,
        "gate_start": "quarter",
        "heads": 1,
        "global_at": "eighth",
    }[setting]
    assert plan_of(["gmenet"], (4,), gmenet={setting: default}).cells.keys() == plain.cells.keys()
    changed = plan_of(["gmenet"], (4,), gmenet={setting: LATER[setting]})
    assert not changed.cells.keys() & plain.cells.keys()
    shared = changed.trainings.keys() & plain.trainings.keys()
    assert len(shared) == (1 if setting == "centred" else 0), (
        "only the way to distil leaves the teacher as it was"
    )


@pytest.mark.parametrize("heads", [1, 2])
def test_all_at_once_trains_and_answers(heads: int) -> None:
    method = fresh("gmenet", ref=REF, **{**LATER, "heads": heads}).train()
    told = method.update(batch(), method.optimizers())
    assert all(loss.isfinite() for loss in told.values())
    with torch.no_grad():
        answers = method.eval()(batch().lr)
    assert answers.shape == (8, 7) and answers.std() > 0


def test_centred_maps_are_compared_without_their_mean_over_the_batch() -> None:
    method: Any = fresh("gmenet", ref=REF, centred=True, kd_weight=3.0).eval()
    faces = batch()
    ours = numbers(method.attention_maps(method.enlarge(faces.lr)))
    theirs = numbers(method.stages["teacher"].attention_maps(faces.hr.float() / 255))
    expected = 3 * sum(
        by_numpy.mean_cos_distance(a - a.mean(0), b - b.mean(0))
        for a, b in zip(ours, theirs, strict=True)
    )
    assert method.losses(faces)["attention"].item() == pytest.approx(expected, rel=1e-3)
    plain = 3 * sum(by_numpy.mean_cos_distance(a, b) for a, b in zip(ours, theirs, strict=True))
    assert abs(expected - plain) > 0.1


def test_normed_gates_have_values_of_mean_0_and_deviation_1_over_the_batch() -> None:
    method: Any = fresh("gmenet", ref=REF, gate_norm=True).train()
    maps = numbers(method.attention_maps(method.enlarge(batch().lr)))
    for values in maps[::2]:  # of channels: each over the faces
        np.testing.assert_allclose(values.mean(0), 0, atol=1e-4)
    for values in maps[1::2]:  # of positions: over faces and positions
        assert abs(values.mean()) < 1e-4 and abs(values.std() - 1) < 0.05
    count = sum("norm" in name for name, _ in method.named_parameters() if "gate." in name)
    assert count == 2 * len(maps), "a weight and a bias for each gate"


def test_gates_that_start_as_identity_let_everything_through_where_their_values_are_0() -> None:
    x = torch.rand(2, 8, 5, 5)
    for identity, share in ((True, 1.0), (False, 0.25)):
        gates = Gates(8, depthwise=True, identity=identity).eval()
        with torch.no_grad():
            for parameter in (*gates.channel.parameters(), *gates.spatial.parameters()):
                parameter.zero_()
            torch.testing.assert_close(gates(x), share * x)
    torch.manual_seed(0)
    with torch.no_grad():
        gates = Gates(8, depthwise=True, identity=True).eval()
        made, (channel, spatial) = gates.with_maps(x)
        torch.testing.assert_close(made, x * 2 * channel.sigmoid() * 2 * spatial.sigmoid())


def test_two_heads_have_a_loss_each_and_answer_together() -> None:
    method: Any = fresh("gmenet", ref=REF, heads=2).eval()
    faces = batch()
    seen = method.enlarge(faces.lr)
    with torch.no_grad():
        features, _ = method.net.local(seen)
        local = method.net.linear(features[-1].mean((2, 3)))
        wide = method.net.second(method.net.wide(features[method.net.shared - 1]).mean((2, 3)))
        torch.testing.assert_close(method(faces.lr), 0.6 * local + 0.4 * wide)
    labels = faces.label.numpy()
    found = method.losses(faces)
    assert set(found) == {"ce_local", "ce_global", "attention"}
    assert found["ce_local"].item() == pytest.approx(
        0.6 * by_numpy.cross_entropy(number(local), labels, 0.1), abs=1e-5
    )
    assert found["ce_global"].item() == pytest.approx(
        0.4 * by_numpy.cross_entropy(number(wide), labels, 0.1), abs=1e-5
    )
    found["ce_global"].backward()
    assert method.net.linear.weight.grad is None and method.net.second.weight.grad.abs().sum() > 0


def test_the_first_global_block_ends_at_a_quarter() -> None:
    for at, sides in (("eighth", [6, 3]), ("quarter-narrow", [12, 6])):
        net: Any = fresh("gmenet", global_at=at).eval().net  # type: ignore[attr-defined]
        with torch.no_grad():
            x = net.local(torch.rand(1, 1, 48, 48))[0][net.shared - 1]
            assert x.shape[-1] == 12
            found = []
            for block in net.wide:
                x = block(x)
                found.append(x.shape[-1])
        assert found == sides


@pytest.mark.parametrize("preset", ["quick@2", "cpu@1", "cpu@2", "paper@1"])
def test_no_setting_that_tune_tries_buys_computation(preset: str) -> None:
    """Otherwise a tuned row could win by its size."""
    faces = torch.rand(1, 1, 12, 12)
    plain = macs_used(fresh("gmenet", preset=preset_of(preset)).eval(), faces)
    for setting, value in LATER.items():
        changed = fresh("gmenet", preset=preset_of(preset), **{setting: value}).eval()
        assert 0.9 * plain < macs_used(changed, faces) < 1.1 * plain, setting


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"attention": "all"}, "attention"),
        ({"gate_start": "half"}, "gate_start"),
        ({"heads": 3}, "heads"),
        ({"global_at": "quarter"}, "global_at"),
        ({"heads": 2, "global_branch": False}, "global_branch"),
    ],
)
def test_wrong_words_are_refused(settings: dict[str, Any], word: str) -> None:
    with pytest.raises(UserError, match=word):
        fresh("gmenet", ref=REF, **settings)


def test_settings_go_with_the_ablations() -> None:
    for settings in (
        {"attention": "none"},
        {"attention": "channel"},
        {"global_branch": False, "heads": 1},
    ):
        method = fresh("gmenet", ref=REF, **{**LATER, "heads": 1, **settings}).train()
        assert all(loss.isfinite() for loss in method.losses(batch()).values())
