"""Every loss against a few lines of numpy on fixed small tensors."""

from __future__ import annotations

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


def test_relation_loss() -> None:
    low, high = arrays((4, 5, 2, 3), (4, 5, 2, 3))
    partner = [1, 0, 3, 2]
    found = losses.relation(*tensors([low, high]), torch.tensor(partner)).item()
    assert found == pytest.approx(by_numpy.relation(low, high, partner), abs=1e-5)


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
    """D(x) = a.x + |x|^2 / 2 has gradient a + x, so the penalty is the mean of |a + x|^6 at the
    mixed points.
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
