"""Every loss against a few lines of numpy on fixed small tensors."""

from __future__ import annotations

from typing import Any

import by_numpy
import numpy as np
import pytest
import torch

from lrfer_bench.nets import losses

RNG = np.random.default_rng(7)


def arrays(*shapes: tuple[int, ...]) -> list[np.ndarray]:
    return [RNG.normal(size=shape) for shape in shapes]


def tensors(values: list[np.ndarray]) -> list[torch.Tensor]:
    return [torch.from_numpy(value.astype(np.float32)) for value in values]


def test_attention_similarity_is_summed_over_maps_and_averaged_over_faces() -> None:
    shapes = [(3, 4, 1, 1), (3, 1, 5, 5), (3, 6, 1, 1)]
    student, teacher = arrays(*shapes), arrays(*shapes)
    expected = sum(by_numpy.mean_cos_distance(s, t) for s, t in zip(student, teacher, strict=True))
    assert losses.attention_similarity(tensors(student), tensors(teacher)).item() == pytest.approx(
        expected, abs=1e-5
    )


def test_feature_similarity_is_averaged_over_stages() -> None:
    shapes = [(3, 4, 3, 3), (3, 8, 2, 2)]
    student, teacher = arrays(*shapes), arrays(*shapes)
    per_stage = [by_numpy.mean_cos_distance(s, t) for s, t in zip(student, teacher, strict=True)]
    found = losses.feature_similarity(tensors(student), tensors(teacher)).item()
    assert found == pytest.approx(np.mean(per_stage), abs=1e-5)


def test_attention_transfer_compares_maps_of_length_one() -> None:
    shapes = [(2, 4, 3, 3), (2, 5, 2, 2)]
    ours, theirs = arrays(*shapes), arrays(*shapes)
    expected = by_numpy.attention_transfer(ours, theirs)
    assert losses.attention_transfer(tensors(ours), tensors(theirs)).item() == pytest.approx(
        expected, abs=1e-5
    )


def test_prediction_consistency_is_the_kl_from_the_reference() -> None:
    logits, reference = arrays((4, 7), (4, 7))
    reference *= 3
    forwards, backwards = by_numpy.kl(reference, logits), by_numpy.kl(logits, reference)
    found = losses.prediction_consistency(*tensors([logits, reference])).item()
    assert found == pytest.approx(forwards, abs=1e-5)
    assert abs(forwards - backwards) > 1e-1  # the test could not tell them apart otherwise


def test_partner_is_the_next_face_of_the_same_class() -> None:
    labels = torch.tensor([2, 0, 2, 1, 0, 2])
    assert losses.same_class_partner(labels).tolist() == [2, 4, 5, 3, 1, 0]


@pytest.mark.parametrize("partner", [[1, 0, 3, 2], [1, 0, 2, 3], [0, 1, 2, 3]])
def test_relation_loss_of_those_who_have_a_partner(partner: list[int]) -> None:
    low, high = arrays((4, 5, 2, 3), (4, 5, 2, 3))
    found = losses.relation(*tensors([low, high]), torch.tensor(partner)).item()
    assert found == pytest.approx(by_numpy.relation(low, high, partner), abs=1e-5)


def test_maps_of_two_sizes_meet_at_the_smaller_one() -> None:
    (large,) = arrays((2, 3, 6, 4))
    by_blocks = large.reshape(2, 3, 3, 2, 2, 2).mean((3, 5))
    (small,) = arrays((2, 3, 3, 2))
    for pair in ((large, small), (small, large)):
        a, b = losses.same_size(*tensors(list(pair)))
        assert a.shape == b.shape == (2, 3, 3, 2)
        pooled, kept = (a, b) if pair[0] is large else (b, a)
        np.testing.assert_allclose(pooled.numpy(), by_blocks, atol=1e-6)
        np.testing.assert_allclose(kept.numpy(), small, atol=1e-6)
    tall, wide = tensors(arrays((2, 3, 6, 2), (2, 3, 3, 4)))
    assert {tuple(m.shape[2:]) for m in losses.same_size(tall, wide)} == {(3, 2)}


@pytest.mark.parametrize(
    "loss",
    [
        losses.attention_similarity,
        losses.feature_similarity,
        losses.attention_transfer,
        losses.attention_error,
        losses.hint_error,
    ],
)
def test_losses_of_maps_take_any_number_of_maps_of_two_sizes(loss: Any) -> None:
    large, small = tensors(arrays((2, 3, 6, 4), (2, 3, 3, 2)))
    pooled = losses.same_size(large, small)[0]
    for count in (1, 3, 4):
        assert loss([large] * count, [small] * count).isfinite()
    torch.testing.assert_close(
        loss([large, small], [small, small]), loss([pooled, small], [small, small])
    )
    with pytest.raises(ValueError, match="zip"):
        loss([large, small], [small])


def test_attention_error_and_hint_error_are_means_over_stages() -> None:
    shapes = [(2, 4, 3, 3), (2, 5, 2, 2)]
    ours, theirs = arrays(*shapes), arrays(*shapes)
    found = losses.attention_error(tensors(ours), tensors(theirs)).item()
    assert found == pytest.approx(by_numpy.attention_error(ours, theirs), abs=1e-6)
    errors = [((a - b) ** 2).mean() for a, b in zip(ours, theirs, strict=True)]
    assert losses.hint_error(tensors(ours), tensors(theirs)).item() == pytest.approx(
        np.mean(errors), abs=1e-5
    )


def test_distillation_is_kl_at_a_temperature_times_its_square() -> None:
    logits, reference = arrays((4, 7), (4, 7))
    found = losses.distillation(*tensors([3 * logits, 3 * reference]), 4.0).item()
    assert found == pytest.approx(16 * by_numpy.kl(3 * reference / 4, 3 * logits / 4), abs=1e-5)


def test_decoupled_distillation() -> None:
    logits, reference = (3 * values for values in arrays((4, 7), (4, 7)))
    labels = np.array([0, 6, 2, 2])
    target, others = by_numpy.decoupled(logits, reference, labels, 4.0)
    a, b = tensors([logits, reference])
    for weights in ((1.0, 8.0), (1.0, 0.0), (0.0, 1.0)):
        found = losses.decoupled_distillation(a, b, torch.from_numpy(labels), 4.0, weights).item()
        assert found == pytest.approx(16 * (weights[0] * target + weights[1] * others), abs=1e-4)
    share = by_numpy.softmax(reference / 4)[np.arange(4), labels]
    whole = by_numpy.kl(reference / 4, logits / 4)
    parts = by_numpy.decoupled(logits[:1], reference[:1], labels[:1], 4.0)
    assert by_numpy.kl(reference[:1] / 4, logits[:1] / 4) == pytest.approx(
        parts[0] + (1 - share[0]) * parts[1]
    )
    assert whole > 0


def test_decoupled_distillation_has_gradients_where_the_student_is_sure() -> None:
    logits = torch.tensor([[60.0, -60.0, 0.0]], requires_grad=True)
    losses.decoupled_distillation(
        logits, torch.zeros(1, 3), torch.tensor([0]), 1.0, (1.0, 8.0)
    ).backward()
    assert logits.grad is not None and logits.grad.isfinite().all() and logits.grad.abs().sum() > 0


def test_what_is_left_without_the_mean_over_the_batch() -> None:
    (values,) = arrays((4, 3, 2, 2))
    (left,) = losses.centred_on_batch(tensors([values]))
    np.testing.assert_allclose(left.numpy(), values - values.mean(0), atol=1e-6)


def test_classification_weight_and_its_gradient() -> None:
    logits = RNG.normal(size=(3, 4))
    labels = np.array([1, 3, 0])
    p = by_numpy.softmax(logits)[np.arange(3), labels]
    (tensor,) = tensors([logits])
    tensor.requires_grad_(True)
    weight = losses.classification_weight(tensor, torch.from_numpy(labels))
    np.testing.assert_allclose(weight.detach().numpy(), (1.5 - p) ** 2, atol=1e-5)
    weight.sum().backward()
    onehot = np.eye(4)[labels]
    expected = -2 * (1.5 - p)[:, None] * p[:, None] * (onehot - by_numpy.softmax(logits))
    np.testing.assert_allclose(tensor.grad.numpy(), expected, atol=1e-5)  # type: ignore[union-attr]


def test_squared_distance_is_summed_over_all_but_the_batch() -> None:
    a, b = arrays((3, 2, 4, 5), (3, 2, 4, 5))
    found = losses.squared_distance(*tensors([a, b])).numpy()
    np.testing.assert_allclose(
        found, [((x - y) ** 2).sum() for x, y in zip(a, b, strict=True)], rtol=1e-5
    )


def test_gradient_penalty_of_a_critic_whose_gradient_is_known() -> None:
    """D(x) = a.x + |x|^2 / 2 has gradient a + x.

    So the penalty is the mean of |a + x|^6 at the mixed points.
    """
    real, fake, slope = arrays((3, 1, 2, 2), (3, 1, 2, 2), (1, 1, 2, 2))
    mix = np.array([0.1, 0.5, 0.9])
    real_t, fake_t, slope_t = tensors([real, fake, slope])
    scale = torch.tensor(1.0, requires_grad=True)

    def critic(x: torch.Tensor) -> torch.Tensor:
        return scale * (slope_t * x + x.square() / 2).flatten(1).sum(1)

    points = real + mix[:, None, None, None] * (fake - real)
    expected = np.mean(((slope + points) ** 2).sum((1, 2, 3)) ** 3)
    found = losses.gradient_penalty(critic, real_t, fake_t, torch.from_numpy(mix).float(), 6.0)
    assert found.item() == pytest.approx(expected, rel=1e-5)
    found.backward()
    assert scale.grad is not None
    assert scale.grad.item() == pytest.approx(6 * expected, rel=1e-4)
