"""What each method hands to its losses, and how it weighs them.

Recomputed in numpy from its networks' outputs.
"""

from __future__ import annotations

from typing import Any

import by_numpy
import numpy as np
import pytest
import torch
from by_numpy import number, numbers
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import met, plan_of, told
from torch import Tensor, nn

from lrfer_bench.methods.stages import map_shapes
from lrfer_bench.nets.losses import same_class_partner

LABELS = np.arange(8) % 7
SMOOTHING = 0.1


def close(expected: Any) -> Any:
    return pytest.approx(expected, rel=1e-5, abs=1e-5)


def move(net: nn.Module) -> None:
    """Other weights than its twin's, so that a test sees which of both was asked."""
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))


@pytest.mark.parametrize("finetune", [True, False])
def test_srfer_s_reference_is_the_frozen_classifier_on_the_original(finetune: bool) -> None:
    weights = {"pixel": 2.0, "attention": 3.0, "prediction": 5.0, "ce": 7.0}
    method, batch, hr, _ = met("srfer", finetune=finetune, **weights)
    judge = method.stages["classifier"].net
    if finetune:
        move(method.tuned)
    student = method.tuned if finetune else judge
    restored = method.restore(batch.lr, (24, 24))
    said, reference = number(student(restored)), number(judge(hr))
    expected = {
        "pixel": 2 * np.abs(number(restored) - number(hr)).mean(),
        "attention": 3
        * by_numpy.attention_transfer(numbers(student.maps(restored)), numbers(judge.maps(hr))),
        "prediction": 5 * by_numpy.kl(reference, said),
        "ce": 7 * by_numpy.cross_entropy(said, LABELS, SMOOTHING),
    }
    assert told(method, batch) == close(expected)
    assert torch.equal(method(batch.lr), student(restored))


@pytest.mark.parametrize("hint", [True, False])
def test_fskd(hint: bool) -> None:
    method, batch, hr, enlarged = met("fskd", hint=hint)
    maps = method.net.maps(enlarged)
    low = numbers(method.hint(maps) if hint else maps)
    high = numbers(method.stages["classifier"].net.maps(hr))
    partner = same_class_partner(batch.label).tolist()
    assert sum(i == j for i, j in enumerate(partner)) == 6, "the others have no partner"
    similarity = np.mean([by_numpy.mean_cos_distance(a, b) for a, b in zip(low, high, strict=True)])
    expected = {
        "ce": by_numpy.cross_entropy(number(method.net(enlarged)), LABELS, SMOOTHING),
        "feature": 20.0 * similarity,
        "relation": 4.0 * by_numpy.relation(low[-1], high[-1], partner),
    }
    assert told(method, batch) == close(expected)
    turned = by_numpy.relation(high[-1], low[-1], partner)
    assert expected["relation"] != pytest.approx(4.0 * turned, abs=1e-4), (
        "low and high could be told apart"
    )


@pytest.mark.parametrize("name", ["askd", "gmenet"])
def test_attention_distillation(name: str) -> None:
    method, batch, hr, enlarged = met(name, kd_weight=3.0)
    ours, theirs = method.attention_maps(enlarged), method.stages["teacher"].attention_maps(hr)
    pairs = zip(numbers(ours), numbers(theirs), strict=True)
    expected = {
        "ce": by_numpy.cross_entropy(number(method.net(enlarged)[0]), LABELS, SMOOTHING),
        "attention": 3.0 * sum(by_numpy.mean_cos_distance(a, b) for a, b in pairs),
    }
    assert told(method, batch) == close(expected)


@pytest.mark.parametrize("name", ["classifier", "covpool"])
def test_the_stages_that_recognise_learn_by_cross_entropy(name: str) -> None:
    method, batch, _, _ = met("direct" if name == "classifier" else name)
    seen = method.enlarged(batch)
    assert told(method, batch) == close(
        {"ce": by_numpy.cross_entropy(number(method.net(seen)), LABELS, SMOOTHING)}
    )


def test_the_super_resolver_learns_by_mean_absolute_error() -> None:
    method, batch, hr, _ = met("superres")
    (loss,) = told(method, batch).values()
    assert loss == close(np.abs(number(method(batch.lr)) - number(hr)).mean())


def features(method: Any, count: int = 8) -> tuple[Tensor, Tensor]:
    """(made, real) last feature maps of the method's frozen classifier"""
    torch.manual_seed(0)
    shape = map_shapes(method.stages["classifier"])[-1]
    return torch.rand(count, *shape), torch.rand(count, *shape)


def test_fsrfer_s_terms() -> None:
    method, batch, _, _ = met("fsrfer")
    made, high = features(method)
    fake, real = number(made), number(high)
    p = by_numpy.softmax(number(method.net.head(made)))[np.arange(8), LABELS]
    w, rated, rated_real = (1.5 - p) ** 2, number(method.critic(made)), number(method.critic(high))
    phi = fake.mean((2, 3)) - real.mean((2, 3))
    expected = {
        "adversarial": (w * rated).mean(),
        "feature": 0.01 * (w * ((fake - real) ** 2).sum((1, 2, 3))).mean(),
        "perceptual": 10 * (w * (phi**2).sum(1)).mean(),
    }
    found = {
        name: loss.item() for name, loss in method.generator_losses(made, high, batch.label).items()
    }
    assert found == close(expected)
    critic = method.critic_losses(made, high, batch.label)["critic"].item()
    assert critic == close((w * rated_real).mean() - (w * rated).mean())


def test_fsrfer_s_weights_are_settings_that_are_in_no_key_at_their_defaults() -> None:
    weights = {"feature_weight": 0.03, "perceptual_weight": 5.0}
    found = []
    for given in ({}, weights):
        method, batch, _, _ = met("fsrfer", **given)
        made, high = features(method)
        found.append(method.generator_losses(made, high, batch.label))
    plain, other = found
    assert other["feature"].item() == pytest.approx(3 * plain["feature"].item(), rel=1e-5)
    assert other["perceptual"].item() == pytest.approx(plain["perceptual"].item() / 2, rel=1e-5)
    assert other["adversarial"].item() == plain["adversarial"].item()
    same = plan_of(["fsrfer"], (4,), fsrfer={"feature_weight": 0.01, "perceptual_weight": 10})
    assert same.trainings.keys() == plan_of(["fsrfer"], (4,)).trainings.keys()
    for name, value in weights.items():
        changed = plan_of(["fsrfer"], (4,), fsrfer={name: value})
        assert changed.trainings.keys() != same.trainings.keys()


def test_fsrfer_s_generator_starts_by_the_squared_distance_to_the_features_of_the_original() -> (
    None
):
    method, batch, hr, enlarged = met("fsrfer")
    made, wanted = (
        number(method.generator(method.net.maps(enlarged)[-1])),
        number(method.net.maps(hr)[-1]),
    )
    method.progress = 0.0
    distance = method.update(batch, method.optimizers())["distance"].item()
    assert distance == close(((made - wanted) ** 2).sum((1, 2, 3)).mean())


class Half(nn.Module):
    """A critic whose gradient is 0.5 four times, so of length 1, times `steep`."""

    def __init__(self, steep: float = 1.0) -> None:
        super().__init__()
        self.steep = steep

    def forward(self, x: Tensor) -> Tensor:
        return self.steep * 0.5 * x.flatten(1)[:, :4].sum(1)


class Square(nn.Module):
    """A critic whose gradient is the point itself."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().flatten(1).sum(1) / 2


def test_the_critic_s_penalty_is_twice_the_sixth_power() -> None:
    method, batch, _, _ = met("fsrfer")
    made, high = features(method)
    for steep in (1.0, 3.0):
        method.critic = Half(steep)
        penalty = method.critic_losses(made, high, batch.label)["penalty"].item()
        assert penalty == pytest.approx(2 * steep**6)


def test_the_penalty_is_taken_at_points_between_made_and_real_ones() -> None:
    """Each sample has a share of its own.

    Made features are 2 everywhere, real ones 1, so a share u gives (2 u + 1 - u)^6.
    """
    method, batch, _, _ = met("fsrfer")
    method.critic = Square()
    unit = torch.zeros_like(features(method)[0])
    unit[:, 0, 0, 0] = 1.0
    torch.manual_seed(3)
    found = method.critic_losses(2 * unit, unit, batch.label)["penalty"].item()
    torch.manual_seed(3)
    shares = number(torch.rand(8))
    assert found == pytest.approx(2 * ((1 + shares) ** 6).mean(), rel=1e-4)


def test_a_student_of_fskd_has_its_teacher_s_architecture() -> None:
    from lrfer_bench.planning.build import build_plan
    from lrfer_bench.planning.request import Request
    from lrfer_bench.running.models import untrained

    plan = build_plan(Request(
        methods=["fskd"], scales=(4,), preset=tiny_preset(),
        settings={"classifier": {"arch": "resnet18@3x3"}},
    ), data_ref())  # fmt: skip
    method: Any = untrained(next(iter(plan.cells.values())), plan)
    batch = batch_of(made_faces(4), (4,))
    assert method.losses(batch)["feature"].isfinite()
    alone = plan_of(["fskd"], (4,), fskd={"feature": 0, "relation": 0})
    assert len(alone.trainings) == 1
