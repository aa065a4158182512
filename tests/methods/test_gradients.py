"""Gradients flow where the papers have them flow, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lrfer_bench.method import Method

Tools = Callable[[str], Callable[..., Any]]


def stage_bytes(method: Method) -> list[bytes]:
    return [
        value.detach().numpy().tobytes() for stage in method.stages.values() for value in stage.state_dict().values()
    ]


@pytest.mark.parametrize("name", ["srfer", "fsrfer", "askd", "fskd", "gmenet"])
def test_stages_never_change_and_are_not_stored(name: str, tools: Tools) -> None:
    method = tools("fresh")(name, ref=tools("data_ref")(side=24)).train()
    batch = tools("batch_of")(tools("made_faces")(8, side=24), (4,))
    before, optimizers = stage_bytes(method), method.optimizers()
    assert before
    for progress in (0.0, 0.9):
        method.progress = progress
        method.update(batch, optimizers)
    assert stage_bytes(method) == before
    ours = {id(p) for p in method.parameters()}
    for stage in method.stages.values():
        assert not stage.training
        for parameter in stage.parameters():
            assert parameter.grad is None
            assert not parameter.requires_grad
            assert id(parameter) not in ours
    moved = {id(p) for o in optimizers.values() for group in o.param_groups for p in group["params"]}
    assert moved == ours


@pytest.mark.parametrize("term", ["pixel", "attention", "prediction", "ce"])
def test_each_term_of_srfer_reaches_the_super_resolver(term: str, tools: Tools) -> None:
    method = tools("fresh")("srfer", ref=tools("data_ref")(side=24)).train()
    batch = tools("batch_of")(tools("made_faces")(8, side=24), (4,))
    method.losses(batch)[term].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in method.restore.first.parameters())


def test_srfer_fine_tunes_a_copy(tools: Tools) -> None:
    frozen = tools("fresh")("srfer", ref=tools("data_ref")(side=24), finetune=False)
    tuned = tools("fresh")("srfer", ref=tools("data_ref")(side=24))
    assert not any(name.startswith("tuned") for name in frozen.state_dict())
    batch = tools("batch_of")(tools("made_faces")(8, side=24), (4,))
    before = {name: value.clone() for name, value in tuned.tuned.named_parameters()}
    stages = stage_bytes(tuned)
    tuned.train().update(batch, tuned.optimizers())
    assert all(not torch.equal(value, before[name]) for name, value in tuned.tuned.named_parameters())
    assert stage_bytes(tuned) == stages


def test_srfer_starts_as_the_cascade(tools: Tools) -> None:
    method = tools("fresh")("srfer")
    batch = tools("batch_of")(tools("made_faces")(4), (4,))
    size = method.task.size
    with torch.no_grad():
        assert torch.equal(method.restore(batch.lr, size), method.stages["superres"].net(batch.lr, size))


@pytest.mark.parametrize("name", ["gmenet", "askd"])
@pytest.mark.parametrize("kind", ["channel", "spatial"])
def test_distillation_reaches_every_gate(name: str, kind: str, tools: Tools) -> None:
    method = tools("fresh")(name, ref=tools("data_ref")(side=24)).train()
    batch = tools("batch_of")(tools("made_faces")(8, side=24), (4,))
    losses = method.losses(batch)
    assert set(losses) == {"ce", "attention"}
    losses["attention"].backward()
    gates = [module for module in method.modules() if type(module).__name__ == kind.capitalize() + "Gate"]
    assert len(gates) == 4
    for gate in gates:
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gate.parameters())


def test_the_student_is_fed_enlarged_lr_and_the_teacher_hr(tools: Tools) -> None:
    method = tools("fresh")("gmenet", ref=tools("data_ref")(side=24)).eval()
    batch = tools("batch_of")(tools("made_faces")(8, side=24), (4,))
    teacher = method.stages["teacher"]
    _, student_maps = method.net(method.enlarge(batch.lr))
    _, teacher_maps = teacher.net(batch.hr.float() / 255)
    assert [tuple(m.shape[1:]) for m in student_maps][:3] == [(24, 1, 1), (1, 12, 12), (64, 1, 1)]
    expected = 0.0
    for ours, theirs in zip(student_maps, teacher_maps, strict=True):
        a, b = ours.detach().flatten(1).double(), theirs.detach().flatten(1).double()
        expected += float((1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).mean())
    assert method.losses(batch)["attention"].item() == pytest.approx(1.0 * expected, abs=1e-4)


@pytest.mark.parametrize(("attention", "count"), [("both", 8), ("channel", 4), ("spatial", 4), ("none", 0)])
@pytest.mark.parametrize("global_branch", [True, False])
def test_parts_of_gmenet_can_be_switched_off(attention: str, count: int, global_branch: bool, tools: Tools) -> None:
    ref = tools("data_ref")(side=24)
    method = tools("fresh")("gmenet", ref=ref, attention=attention, global_branch=global_branch).eval()
    logits, maps = method.net(torch.rand(2, 1, 24, 24))
    assert logits.shape == (2, 7)
    assert len(maps) == count
    assert (method.net.wide is not None) == global_branch


def test_the_critic_learns_to_rate_made_features_higher(tools: Tools) -> None:
    """D is low on features of HR faces and high on made ones; the generator, which minimises D(made), learns to undo it."""
    method = tools("fresh")("fsrfer", ref=tools("data_ref")(side=24)).train()
    torch.manual_seed(0)
    high, made = torch.rand(8, 256, 2, 2), torch.rand(8, 256, 2, 2) + 0.5
    label = torch.arange(8) % 7
    optimizer = torch.optim.Adam(method.critic.parameters(), lr=1e-3)
    for _ in range(20):
        optimizer.zero_grad()
        torch.stack(list(method.critic_losses(made, high, label).values())).sum().backward()
        optimizer.step()
    assert method.critic(made).mean() > method.critic(high).mean()
    made.requires_grad_(True)
    method.generator_losses(made, high, label)["adversarial"].backward()
    with torch.no_grad():
        assert method.critic(made - 1e-2 * made.grad.sign()).mean() < method.critic(made).mean()


def test_weights_of_the_generator_s_terms(tools: Tools) -> None:
    method = tools("fresh")("fsrfer", ref=tools("data_ref")(side=24))
    torch.manual_seed(0)
    high, made, label = torch.rand(3, 256, 2, 2), torch.rand(3, 256, 2, 2), torch.tensor([0, 3, 6])
    with torch.no_grad():
        p = method.net.head(made).softmax(1)[torch.arange(3), label]
        w, told = (1.5 - p) ** 2, method.generator_losses(made, high, label)
        d_made, d_high = method.critic(made), method.critic(high)
    critic = method.critic_losses(made, high, label)["critic"]
    assert told["adversarial"].item() == pytest.approx((w * d_made).mean().item(), abs=1e-5)
    feature = 0.01 * (w * ((made - high) ** 2).sum((1, 2, 3))).mean()
    assert told["feature"].item() == pytest.approx(feature.item(), abs=1e-5)
    phi = made.mean((2, 3)) - high.mean((2, 3))
    assert told["perceptual"].item() == pytest.approx((10 * (w * (phi**2).sum(1)).mean()).item(), abs=1e-5)
    assert critic.item() == pytest.approx(((w * d_high).mean() - (w * d_made).mean()).item(), abs=1e-5)
