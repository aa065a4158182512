"""rsnet and mafer: networks that see several sizes of a face."""

from __future__ import annotations

from typing import Any

import by_numpy
import numpy as np
import pytest
import torch
from by_numpy import number
from made import batch_of, data_ref, made_faces, tiny_preset
from small_models import fitted, fresh, plan_of

from lrfer_bench.contract.optimizers import default_optimizers
from lrfer_bench.errors import UserError
from lrfer_bench.methods.rsnet import teaching
from lrfer_bench.running.models import untrained

SCALES = (1, 2, 4)


def rsnet(**settings: Any) -> Any:
    """For 24-pixel faces at HR, x2 and x4, with numbers of the ensemble and norms that differ."""
    plan = plan_of(["rsnet"], (2, 4), tiny_preset(), data_ref(side=24), rsnet=settings)
    (training,) = plan.trainings.values()
    assert training.scales == SCALES
    torch.manual_seed(3)
    method: Any = untrained(training, plan)
    with torch.no_grad():
        method.ensemble.alpha.copy_(torch.tensor([1.0, 0.5, -1.0]))
        for name, parameter in method.named_parameters():
            if ".norms." in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return method


def norms(method: Any) -> list[Any]:
    return [module for module in method.modules() if type(module).__name__ == "NormASize"]


def test_rsnet_s_terms() -> None:
    method = rsnet(kd_weight=3.0).eval()
    batch = batch_of(made_faces(12, side=24), SCALES)
    hr, labels = batch.hr.float() / 255, batch.label.numpy()
    order = [k for scale in (2, 4) for k in range(12) if SCALES[k % 3] == scale]
    large = number(method.at(1, hr))
    small = np.concatenate(
        [number(method.at(s, method.enlarge(batch.lr_parts[s]))) for s in (2, 4)]
    )
    alpha = np.array([[1.0, {2: 0.5, 4: -1.0}[SCALES[k % 3]]] for k in order])
    weight = by_numpy.softmax(alpha)
    mixed = weight[:, :1] * large[order] + weight[:, 1:] * small
    kl = by_numpy.kl
    teaching = kl(mixed, large[order]) + kl(mixed, small) + kl(large[order], small)
    found = {name: loss.item() for name, loss in method.losses(batch).items()}
    assert found == pytest.approx({
        "ce": by_numpy.cross_entropy(large, labels, 0.1),
        "ce_small": by_numpy.cross_entropy(small, labels[order], 0.1),
        "ensemble": by_numpy.cross_entropy(mixed, labels[order], 0.1),
        "kd": 3 * 2 / 3 * teaching,
    }, rel=1e-4, abs=1e-5)  # fmt: skip


def test_the_ensemble_s_loss_moves_its_numbers_alone_and_no_kl_does() -> None:
    method = rsnet().train()
    batch = batch_of(made_faces(12, side=24), SCALES)
    others = [p for name, p in method.named_parameters() if name != "ensemble.alpha"]
    method.losses(batch)["ensemble"].backward()
    assert method.ensemble.alpha.grad.abs().min() > 0
    assert all(p.grad is None for p in others)
    method.zero_grad()
    method.losses(batch)["kd"].backward()
    assert method.ensemble.alpha.grad is None
    assert method.net.linear.weight.grad.abs().sum() > 0


def test_a_larger_size_teaches_and_does_not_learn_from_a_smaller_one() -> None:
    torch.manual_seed(0)
    large, small, mixed = (torch.randn(4, 7, requires_grad=True) for _ in range(3))
    both = teaching([large, small], mixed.detach())
    (alone,) = torch.autograd.grad(teaching([large], mixed.detach()), large)
    (found,) = torch.autograd.grad(both, large)
    torch.testing.assert_close(found, alone * 2 / 3)  # 2 / (n + 1) is 1 for one size, 2 / 3 for two
    assert mixed.grad is None


def test_each_size_has_norms_of_its_own_and_the_rest_is_shared() -> None:
    method = rsnet().train()
    before = [[norm.running_mean.clone() for norm in one.norms] for one in norms(method)]
    assert len(before) > 8 and all(len(row) == 3 for row in before)
    method.losses(batch_of(made_faces(8, side=24), (1, 4)))
    for row, one in zip(before, norms(method), strict=True):
        moved = [
            not torch.equal(old, norm.running_mean)
            for old, norm in zip(row, one.norms, strict=True)
        ]
        assert moved == [True, False, True]
    plain = fresh("multires", ref=data_ref(side=24))
    a_size = sum(p.numel() for one in norms(method) for p in one.norms[0].parameters())
    count = sum(p.numel() for p in method.parameters())
    assert count == sum(p.numel() for p in plain.parameters()) + 2 * a_size + 3


@pytest.mark.parametrize(("scale", "taken"), [(1, 1), (2, 2), (4, 4), (3, 4), (8, 4)])
def test_a_face_is_answered_by_the_norms_of_its_size_or_of_the_nearest(
    scale: int, taken: int
) -> None:
    method = rsnet().eval()
    batch = batch_of(made_faces(4, side=24), (scale,))
    lr = batch.hr if scale == 1 else batch.lr
    with torch.no_grad():
        found = method(lr)
        apart = {size: method.at(size, method.enlarge(lr)) for size in SCALES}
    assert torch.equal(found, apart[taken])
    assert all(not torch.allclose(found, other) for size, other in apart.items() if size != taken)


def test_a_batch_at_hr_alone_and_a_lone_face_of_its_size_are_trained_on() -> None:
    method = rsnet().train()
    batch = batch_of(made_faces(8, side=24), (1,))
    assert set(method.losses(batch)) == {"ce"}
    plan = plan_of(["rsnet"], (2, 4), tiny_preset(), data_ref(side=16))
    # whose last map has one position
    tiny: Any = untrained(next(iter(plan.trainings.values())), plan)
    lone = batch_of(made_faces(3, side=16), SCALES)
    told = tiny.train().update(lone, tiny.optimizers())
    assert all(loss.isfinite() for loss in told.values())
    assert all(norm.training for one in norms(tiny) for norm in one.norms)


def test_rsnet_without_kl_has_no_ensemble() -> None:
    batch = batch_of(made_faces(12, side=24), SCALES)
    assert set(rsnet(kd_weight=0).losses(batch)) == {"ce", "ce_small"}


def test_rsnet_takes_a_network_of_timm() -> None:
    preset = tiny_preset(classifier="resnet18@3x3")
    plan = plan_of(["rsnet"], (4,), preset, data_ref(side=24))
    method: Any = untrained(next(iter(plan.trainings.values())), plan)
    assert len(norms(method)) == 20
    told = method.train().losses(batch_of(made_faces(4, side=24), (1, 4)))
    assert all(loss.isfinite() for loss in told.values())


def test_mafer_goes_on_from_multires_at_a_tenth_of_the_rate() -> None:
    method: Any = fresh("mafer", ref=data_ref(side=24))
    stage = method.stages["multires"]
    assert stage.task.scales == (1, 2, 4, 8)
    batch = batch_of(made_faces(8, side=24), (4,))
    method.eval()
    with torch.no_grad():
        assert torch.equal(method(batch.lr), stage(batch.lr))
    preset = method.task.preset
    new = default_optimizers(method, preset)
    for name, optimizer in method.optimizers().items():
        for group, fresh_one in zip(optimizer.param_groups, new[name].param_groups, strict=True):
            assert group["lr"] == pytest.approx(0.1 * fresh_one["lr"])
    found = method.losses(batch)["ce"].item()
    logits = number(method.net(method.enlarge(batch.lr)))
    assert found == pytest.approx(
        by_numpy.cross_entropy(logits, batch.label.numpy(), 0.1), abs=1e-5
    )
    method.train().update(batch, method.optimizers())
    assert not torch.equal(method.net.linear.weight, stage.net.linear.weight)


def test_mafer_shares_its_stage_with_the_row_multires_at_the_usual_scales() -> None:
    plan = plan_of(["multires", "mafer", "mafer[smallest=4]"], (2, 4, 8))
    scales = [t.scales for t in plan.trainings.values() if t.method.name == "multires"]
    assert scales == [(1, 2, 4, 8), (1, 2, 4)]
    one, all_three = plan_of(["mafer"], (4,)), plan_of(["mafer"], (2, 4, 8))
    assert set(one.trainings) <= set(all_three.trainings), "a scale more moves no key"
    at_hr = plan_of(["mafer"], (1,))
    assert [t.scales for t in at_hr.trainings.values()] == [(1, 2, 4, 8), (1,)]


def test_mafer_keeps_its_stage_s_conditions_wherever_it_is_built() -> None:
    """One epoch each: the stage's LR faces come from the protocol of the cell."""
    outcome = fitted(
        "mafer", made_faces(14, side=16), preset=tiny_preset(epochs=1, batch=7), smallest=2
    )
    assert [model.training.scales for model in outcome.models.values()] == [(1, 2), (4,)]
    assert {model.training.condition.protocol for model in outcome.models.values()} == {"bicubic@1"}


@pytest.mark.parametrize("smallest", [0, 1, 6, -4, 2.5])
def test_mafer_refuses_what_is_no_power_of_two(smallest: Any) -> None:
    with pytest.raises(UserError, match=r"mafer\.smallest"):
        plan_of(["mafer"], (4,), mafer={"smallest": smallest})


def test_a_stage_at_a_scale_that_the_faces_do_not_have_is_refused() -> None:
    with pytest.raises(UserError, match="larger than the images"):
        plan_of(["mafer"], (2,), ref=data_ref(side=16), mafer={"smallest": 32})
