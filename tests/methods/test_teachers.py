"""kd, fitnet and qualnet: their losses in numpy, from the outputs of student and teacher."""

from __future__ import annotations

from typing import Any

import by_numpy
import numpy as np
import pytest
import torch
from by_numpy import number, numbers
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import fresh, met, plan_of, told
from torch import Tensor

from lrfer_bench.errors import UserError
from lrfer_bench.running.cost import parameters_used
from lrfer_bench.running.models import untrained

LABELS = np.arange(8) % 7
SMOOTHING = 0.1


def close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-4, abs=1e-5)


def answers(method: Any, hr: Tensor, enlarged: Tensor) -> tuple[np.ndarray, np.ndarray, float]:
    """(the student's logits, the teacher's, the student's cross-entropy)"""
    said, wanted = number(method.net(enlarged)), number(method.stages["classifier"].net(hr))
    return said, wanted, by_numpy.cross_entropy(said, LABELS, SMOOTHING)


def test_kd() -> None:
    method, batch, hr, enlarged = met("kd", kd_weight=2.0, temperature=3.0)
    said, wanted, ce = answers(method, hr, enlarged)
    assert told(method, batch) == close({"ce": ce, "kd": 2 * 9 * by_numpy.kl(wanted / 3, said / 3)})


def test_kd_s_defaults_are_hinton_s_form_with_t_4() -> None:
    method, batch, hr, enlarged = met("kd")
    said, wanted, _ = answers(method, hr, enlarged)
    assert told(method, batch)["kd"] == close(16 * by_numpy.kl(wanted / 4, said / 4))


@pytest.mark.parametrize(
    ("progress", "share"), [(0.0, 0.0), (1 / 24, 0.5), (1 / 12, 1.0), (0.9, 1.0)]
)
def test_dkd_and_its_warm_up(progress: float, share: float) -> None:
    method, batch, hr, enlarged = met("kd", variant="dkd", kd_weight=2.0)
    said, wanted, ce = answers(method, hr, enlarged)
    target, others = by_numpy.decoupled(said, wanted, LABELS, 4.0)
    method.progress = progress
    expected = 2 * share * 16 * (1 * target + 8 * others)
    found = told(method, batch)
    assert found["ce"] == close(ce) and found["kd"] == pytest.approx(expected, abs=1e-4)
    assert share == 0 or expected > 1e-3


def test_fitnet_s_hints_go_through_hint_layers() -> None:
    method, batch, hr, enlarged = met("fitnet", kd_weight=2.0)
    _, _, ce = answers(method, hr, enlarged)
    low = numbers(method.hint(method.net.maps(enlarged)))
    high = numbers(method.stages["classifier"].net.maps(hr))
    errors = [((a - b) ** 2).mean() for a, b in zip(low, high, strict=True)]
    assert told(method, batch) == close({"ce": ce, "hint": 2 * 1.5 * np.mean(errors)})


def test_attention_transfer_compares_the_maps_themselves() -> None:
    method, batch, hr, enlarged = met("fitnet", variant="at", kd_weight=2.0)
    _, _, ce = answers(method, hr, enlarged)
    low = numbers(method.net.maps(enlarged))
    high = numbers(method.stages["classifier"].net.maps(hr))
    expected = 2 * 1000 * by_numpy.attention_error(low, high)
    assert method.hint is None
    assert told(method, batch) == close({"ce": ce, "hint": expected})


def test_qualnet_has_the_teacher_s_decoder_draw_the_hr_face() -> None:
    method, batch, hr, enlarged = met("qualnet", pixel=2.0)
    teacher = method.stages["teacher"]
    features = method.net.maps(enlarged)[-1]
    drawn = number(teacher.decoder(features)).clip(0, 1)
    assert drawn.shape == (8, 1, 24, 24)
    assert told(method, batch) == close({
        "ce": by_numpy.cross_entropy(number(method.net(enlarged)), LABELS, SMOOTHING),
        "pixel": 2 * np.abs(drawn - number(hr)).mean(),
    })  # fmt: skip
    method.losses(batch)["pixel"].backward()
    trunk = [p for name, p in method.net.named_parameters() if not name.startswith("linear")]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in trunk)


def test_qualnet_s_teacher_learns_to_draw_and_to_name_hr_faces() -> None:
    plan = plan_of(["qualnet"], (4,), tiny_preset(), data_ref(side=24))
    teacher: Any = untrained(next(t for t in plan.trainings.values() if t.scales == (1,)), plan)
    batch = batch_of(made_faces(8, side=24), (1,))
    teacher.train()
    losses = teacher.losses(batch)
    assert set(losses) == {"ce", "pixel"}
    losses["pixel"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in teacher.decoder.parameters())


def test_qualnet_starts_from_its_teacher_and_carries_no_decoder() -> None:
    warm, cold = met("qualnet")[0], met("qualnet", warm_start=False)[0]
    state = warm.stages["teacher"].net.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in warm.net.state_dict().items())
    assert not torch.equal(cold.net.linear.weight, cold.stages["teacher"].net.linear.weight)
    assert not any(name.startswith("decoder") for name in warm.state_dict())


def test_qualnet_s_decoder_makes_faces_of_any_size() -> None:
    for height, width in ((48, 48), (50, 44), (16, 16), (100, 100)):
        ref = data_ref(3)
        ref = type(ref)(**{**ref.__dict__, "size": (height, width)})
        method = fresh("qualnet", 2, ref=ref).eval()
        with torch.no_grad():
            features = method.net.maps(torch.rand(2, 3, height, width))[-1]
            assert method.stages["teacher"].decoder(features).shape == (2, 3, height, width)


@pytest.mark.parametrize(
    ("name", "off"),
    [("kd", "kd_weight"), ("fitnet", "kd_weight"), ("qualnet", "pixel"), ("fskd", "feature")],
)
def test_without_a_weight_there_is_no_teacher(name: str, off: str) -> None:
    nothing = {off: 0, **({"relation": 0} if name == "fskd" else {})}
    assert len(plan_of([name], (4,), **{name: nothing}).trainings) == 1
    method = fresh(name, ref=data_ref(side=24), **nothing)
    assert set(method.losses(batch_of(made_faces(8, side=24), (4,)))) == {"ce"}


def test_rows_that_learn_from_the_same_teacher_train_it_once() -> None:
    rows = ["oracle", "kd", "kd[variant=dkd]", "fitnet", "fitnet[variant=at]", "fskd"]
    plan = plan_of(rows, (2, 4))
    assert [t.method.name for t in plan.trainings.values() if t.scales == (1,)] == ["classifier"]
    plan = plan_of(["qualnet", "qualnet[pixel=3]", "qualnet[warm_start=false]"], (2, 4))
    assert [t.method.name for t in plan.trainings.values() if t.scales == (1,)] == ["qualnet"]


@pytest.mark.parametrize("name", ["kd", "fitnet"])
def test_a_student_has_its_teacher_s_architecture(name: str) -> None:
    plan = plan_of([name], (4,), classifier={"arch": "resnet18@3x3"})
    method: Any = untrained(next(t for t in plan.trainings.values() if t.method.name == name), plan)
    assert method.arch == "resnet18@3x3"
    told = method.losses(batch_of(made_faces(4), (4,)))
    assert all(loss.isfinite() for loss in told.values())


@pytest.mark.parametrize("name", ["fskd", "kd", "fitnet", "qualnet", "mafer"])
def test_answers_cost_what_those_of_the_plain_network_cost(name: str) -> None:
    """Hint layers and decoders belong to the training."""
    lr = batch_of(made_faces(1, side=24), (4,)).lr
    plain = fresh("direct", ref=data_ref(side=24)).eval()
    method = fresh(name, ref=data_ref(side=24)).eval()
    assert parameters_used(method, lr) == parameters_used(plain, lr)


@pytest.mark.parametrize(
    ("name", "settings", "word"),
    [
        ("kd", {"variant": "ckd"}, "variant"),
        ("kd", {"temperature": 0.0}, "temperature"),
        ("fitnet", {"variant": "hint"}, "variant"),
    ],
)
def test_wrong_words_are_refused(name: str, settings: dict[str, Any], word: str) -> None:
    with pytest.raises(UserError, match=word):
        fresh(name, **settings)
