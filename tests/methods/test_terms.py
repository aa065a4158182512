"""What each method hands to its losses, and how it weighs them: recomputed in numpy from its networks' outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lrfer_bench.nets.losses import relation, same_class_partner

Tools = Callable[[str], Callable[..., Any]]


def met(name: str, tools: Tools, **settings: Any) -> tuple[Any, Any, Tensor, Tensor]:
    """(method, batch, HR faces in 0..1, enlarged LR faces in 0..1)"""
    method = tools("fresh")(name, ref=tools("data_ref")(side=24), **settings).eval()
    batch = tools("batch_of")(tools("made_faces")(8, side=24), (4,))
    return method, batch, batch.hr.float() / 255, method.enlarge(batch.lr)


def numbers(values: list[Tensor]) -> list[np.ndarray]:
    return [value.detach().double().numpy() for value in values]


def cos_distance(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return float((1 - (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))).mean())


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - x.max(1, keepdims=True) - np.log(np.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True))


def test_srfer(tools: Tools) -> None:
    method, batch, hr, _ = met("srfer", tools, pixel=2.0, attention=3.0, prediction=5.0, ce=7.0)
    told = method.losses(batch)
    restored, net = method.restore(batch.lr, (24, 24)), method.stages["classifier"].net
    ours, theirs = numbers(net.maps(restored)), numbers(net.maps(hr))
    said, reference = (log_softmax(numbers([net(x)])[0]) for x in (restored, hr))
    attention = 0.0
    for a, b in zip(ours, theirs, strict=True):
        maps = [(x**2).mean(1).reshape(8, -1) for x in (a, b)]
        unit = [x / np.sqrt((x**2).sum(1, keepdims=True)) for x in maps]
        attention += float(np.sqrt(((unit[0] - unit[1]) ** 2).sum(1)).mean())
    smooth = 0.9 * np.eye(7)[batch.label.numpy()] + 0.1 / 7
    expected = {
        "pixel": 2 * (restored - hr).abs().mean().item(),
        "attention": 3 * attention,
        "prediction": 5 * float((np.exp(reference) * (reference - said)).sum(1).mean()),
        "ce": 7 * float(-(smooth * said).sum(1).mean()),
    }
    assert {name: loss.item() for name, loss in told.items()} == pytest.approx(expected, abs=1e-4)


def test_fskd(tools: Tools) -> None:
    method, batch, hr, enlarged = met("fskd", tools)
    told = method.losses(batch)
    low, high = method.net.maps(enlarged), method.stages["classifier"].net.maps(hr)
    similarity = np.mean([cos_distance(a, b) for a, b in zip(numbers(low), numbers(high), strict=True)])
    between = relation(low[-1], high[-1], same_class_partner(batch.label))
    assert told["feature"].item() == pytest.approx(20.0 * similarity, abs=1e-4)
    assert told["relation"].item() == pytest.approx(4.0 * between.item(), abs=1e-5)
    assert relation(high[-1], low[-1], same_class_partner(batch.label)).item() != pytest.approx(
        between.item(), abs=1e-4
    )


@pytest.mark.parametrize("name", ["askd", "gmenet"])
def test_attention_distillation(name: str, tools: Tools) -> None:
    method, batch, hr, enlarged = met(name, tools, kd_weight=3.0)
    ours, theirs = method.attention_maps(enlarged), method.stages["teacher"].attention_maps(hr)
    expected = 3.0 * sum(cos_distance(a, b) for a, b in zip(numbers(ours), numbers(theirs), strict=True))
    assert method.losses(batch)["attention"].item() == pytest.approx(expected, abs=1e-4)


def test_the_critic_s_penalty_is_twice_the_sixth_power(tools: Tools) -> None:
    class Linear(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * x.flatten(1)[:, :4].sum(1)  # its gradient is 0.5 four times: length 1, then 3 times that

    method, batch, _, _ = met("fsrfer", tools)
    high = torch.rand(8, 256, 2, 2)
    method.critic = Linear()
    assert method.critic_losses(torch.rand(8, 256, 2, 2), high, batch.label)["penalty"].item() == pytest.approx(2.0)
    method.critic = nn.Sequential(Linear())
    method.critic.register_forward_hook(lambda module, given, answer: 3 * answer)
    assert method.critic_losses(torch.rand(8, 256, 2, 2), high, batch.label)["penalty"].item() == pytest.approx(
        2 * 3.0**6
    )


def test_a_student_of_fskd_has_its_teacher_s_architecture(tools: Tools) -> None:
    from lrfer_bench.calibrate import _fresh
    from lrfer_bench.plan import Request, build_plan

    plan = build_plan(Request(
        data=tools("data_ref")(), methods=["fskd"], scales=(4,), preset=tools("tiny_preset")(),
        settings={"classifier": {"arch": "resnet18@3x3"}},
    ))  # fmt: skip
    method: Any = _fresh(next(t for t in plan.trainings.values() if t.method.name == "fskd"), plan)
    batch = tools("batch_of")(tools("made_faces")(4), (4,))
    assert method.losses(batch)["feature"].isfinite()
    alone = tools("plan_of")(["fskd"], (4,), fskd={"feature": 0, "relation": 0})
    assert len(alone.trainings) == 1
