"""Gradients flow where the papers have them flow, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import fresh

from lrfer_bench.contract.method import Method
from lrfer_bench.methods.stages import map_shapes
from lrfer_bench.nets.attention import AttentionBlock


def stage_bytes(method: Method) -> list[bytes]:
    return [
        value.detach().numpy().tobytes()
        for stage in method.stages.values()
        for value in stage.state_dict().values()
    ]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("srfer", {}),
        ("srfer", {"finetune": False}),
        ("fsrfer", {}),
        ("askd", {}),
        ("fskd", {}),
        ("fskd", {"hint": False}),
        ("kd", {}),
        ("kd", {"variant": "dkd"}),
        ("fitnet", {}),
        ("fitnet", {"variant": "at"}),
        ("mafer", {}),
        ("qualnet", {}),
        ("gmenet", {}),
    ],
)
def test_stages_never_change_and_are_not_stored(name: str, settings: dict[str, Any]) -> None:
    method = fresh(name, ref=data_ref(side=24), **settings).train()
    batch = batch_of(made_faces(8, side=24), (4,))
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
    moved = {
        id(p) for o in optimizers.values() for group in o.param_groups for p in group["params"]
    }
    assert moved == ours


@pytest.mark.parametrize("finetune", [True, False])
@pytest.mark.parametrize("term", ["pixel", "attention", "prediction", "ce"])
def test_each_term_of_srfer_reaches_the_super_resolver(term: str, finetune: bool) -> None:
    method = fresh("srfer", ref=data_ref(side=24), finetune=finetune).train()
    batch = batch_of(made_faces(8, side=24), (4,))
    method.losses(batch)[term].backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in method.restore.first.parameters()
    )


def test_srfer_fine_tunes_a_copy() -> None:
    frozen = fresh("srfer", ref=data_ref(side=24), finetune=False)
    tuned = fresh("srfer", ref=data_ref(side=24))
    assert not any(name.startswith("tuned") for name in frozen.state_dict())
    batch = batch_of(made_faces(8, side=24), (4,))
    before = {name: value.clone() for name, value in tuned.tuned.named_parameters()}
    stages = stage_bytes(tuned)
    tuned.train().update(batch, tuned.optimizers())
    assert all(
        not torch.equal(value, before[name]) for name, value in tuned.tuned.named_parameters()
    )
    assert stage_bytes(tuned) == stages


def test_srfer_starts_as_the_cascade() -> None:
    method = fresh("srfer")
    batch = batch_of(made_faces(4), (4,))
    size = method.task.size
    with torch.no_grad():
        restored = method.stages["superres"].net(batch.lr, size)
        assert torch.equal(method.restore(batch.lr, size), restored)
        assert torch.equal(method(batch.lr), method.stages["classifier"].net(restored))


@pytest.mark.parametrize("name", ["gmenet", "askd"])
@pytest.mark.parametrize("kind", ["channel", "spatial"])
def test_distillation_reaches_every_gate(name: str, kind: str) -> None:
    method = fresh(name, ref=data_ref(side=24)).train()
    batch = batch_of(made_faces(8, side=24), (4,))
    losses = method.losses(batch)
    assert set(losses) == {"ce", "attention"}
    losses["attention"].backward()
    gates = [
        module for module in method.modules() if type(module).__name__ == kind.capitalize() + "Gate"
    ]
    assert len(gates) == sum(isinstance(m, AttentionBlock) for m in method.modules()) >= 3
    for gate in gates:
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gate.parameters())


@pytest.mark.parametrize(
    ("classifier", "shapes"),
    [
        ("lean", [(24, 1, 1), (1, 12, 12), (64, 1, 1)]),
        ("lean2", [(48, 1, 1), (1, 6, 6), (72, 1, 1)]),
    ],
)
def test_the_student_is_fed_enlarged_lr_and_the_teacher_hr(
    classifier: str, shapes: list[tuple[int, ...]]
) -> None:
    preset = tiny_preset(classifier=classifier)
    method = fresh("gmenet", ref=data_ref(side=24), preset=preset).train()
    batch = batch_of(made_faces(8, side=24), (4,))
    fed: dict[str, torch.Tensor] = {}
    for who, net in (
        ("student", method.net.local),
        ("teacher", method.stages["teacher"].net.local),
    ):
        net.register_forward_pre_hook(lambda module, given, who=who: fed.__setitem__(who, given[0]))
    method.losses(batch)
    assert torch.equal(fed["student"], method.enlarge(batch.lr)) and torch.equal(
        fed["teacher"], batch.hr.float() / 255
    )
    maps = method.attention_maps(fed["student"])
    assert [tuple(m.shape[1:]) for m in maps][:3] == shapes


def test_cross_entropy_reaches_the_trunk_through_the_global_branch_alone() -> None:
    method = fresh("gmenet", ref=data_ref(side=24), kd_weight=0.0).train()
    with torch.no_grad():
        local = method.net.local.stages[-1][0].conv1.weight.shape[0]
        method.net.linear.weight[:, :local] = 0.0  # the local branch's end has no say
    batch = batch_of(made_faces(8, side=24), (4,))
    method.losses(batch)["ce"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in method.net.wide.parameters())
    assert method.net.local.stem[0].weight.grad.abs().sum() > 0
    assert method.net.local.stages[-1][0].conv1.weight.grad.abs().sum() == 0


@pytest.mark.parametrize(
    ("attention", "each"), [("both", 2), ("channel", 1), ("spatial", 1), ("none", 0)]
)
@pytest.mark.parametrize("global_branch", [True, False])
def test_parts_of_gmenet_can_be_switched_off(
    attention: str, each: int, global_branch: bool
) -> None:
    ref = data_ref(side=24)
    method = fresh("gmenet", ref=ref, attention=attention, global_branch=global_branch).eval()
    logits, maps = method.net(torch.rand(2, 1, 24, 24))
    assert logits.shape == (2, 7)
    assert len(maps) == each * len(method.net.local.stages)
    assert (method.net.wide is not None) == global_branch


def test_the_critic_learns_to_rate_made_features_higher() -> None:
    """D is low on features of HR faces and high on made ones.

    The generator, which minimises D(made), learns to undo it.
    """
    method = fresh("fsrfer", ref=data_ref(side=24)).train()
    torch.manual_seed(0)
    high = torch.rand(8, *map_shapes(method.stages["classifier"])[-1])
    made = torch.rand_like(high) + 0.5
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


def test_fsrfer_s_weight_has_gradients_for_the_generator_and_for_nobody_else() -> None:
    method = fresh("fsrfer", ref=data_ref(side=24)).eval()
    torch.manual_seed(0)
    high = torch.rand(3, *map_shapes(method.stages["classifier"])[-1])
    made, label = torch.rand_like(high), torch.tensor([0, 3, 6])
    made.requires_grad_(True)
    w = (1.5 - method.net.head(made).softmax(1)[torch.arange(3), label]) ** 2
    distance = ((made - high) ** 2).sum((1, 2, 3))
    (with_weight,) = torch.autograd.grad(0.01 * (w * distance).mean(), made, retain_graph=True)
    (without,) = torch.autograd.grad(0.01 * (w.detach() * distance).mean(), made)
    assert (with_weight - without).abs().max() > 1e-4 * with_weight.abs().max()
    method.generator_losses(made, high, label)["feature"].backward()
    torch.testing.assert_close(made.grad, with_weight, rtol=1e-5, atol=1e-8)
    assert all(p.grad is None for p in method.net.parameters())


def part_bytes(part: torch.nn.Module) -> list[bytes]:
    return [value.detach().numpy().tobytes() for value in part.state_dict().values()]


@pytest.mark.parametrize(
    ("progress", "held", "moves"),
    [(0.0, None, {"generator"}), (0.9, "critic", {"generator"}), (0.9, "generator", {"critic"})],
    ids=["pretraining", "generator", "critic"],
)
def test_each_step_of_fsrfer_moves_its_own_network(
    progress: float, held: str | None, moves: set[str]
) -> None:
    """One of both optimisers is held at a rate of zero: what still moves is the other's."""
    method = fresh("fsrfer", ref=data_ref(side=24)).train()
    batch = batch_of(made_faces(8, side=24), (4,))
    optimizers, method.progress = method.optimizers(), progress
    if held:
        optimizers[held].param_groups[0]["lr"] = 0.0
    before = {name: part_bytes(getattr(method, name)) for name in ("generator", "critic")}
    told = method.update(batch, optimizers)
    assert {
        name for name, old in before.items() if part_bytes(getattr(method, name)) != old
    } == moves
    assert not any(loss.requires_grad for loss in told.values())


def test_the_critic_s_loss_does_not_reach_the_generator() -> None:
    method = fresh("fsrfer", ref=data_ref(side=24)).train()
    batch = batch_of(made_faces(8, side=24), (4,))
    optimizers, method.progress = method.optimizers(), 0.9
    seen: list[bool] = []
    real = optimizers["critic"].step

    def step(*given: Any) -> Any:
        seen.append(any(p.grad is not None for p in method.generator.parameters()))
        return real(*given)

    optimizers["critic"].step = step  # type: ignore[method-assign]
    method.update(batch, optimizers)
    assert seen == [False]
