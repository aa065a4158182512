from __future__ import annotations

import os

import numpy as np
import pytest

from lrfer_bench.data.validation import cut_persons, cut_validation, unit_hash


def test_a_tenth_of_each_class_is_cut():
    labels = np.repeat([0, 1, 2], [100, 45, 10])
    chosen = cut_validation(labels, [str(i).encode() for i in range(155)])
    assert [int(chosen[labels == k].sum()) for k in range(3)] == [10, 5, 1]


def test_the_order_does_not_matter():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    keys = [f"picture_{i}".encode() for i in range(200)]
    chosen = cut_validation(labels, keys)
    order = rng.permutation(200)
    again = cut_validation(labels[order], [keys[i] for i in order])
    np.testing.assert_array_equal(again, chosen[order])


def test_rows_of_one_key_stay_together_whatever_their_class():
    labels = np.tile([0, 1], 50)
    keys = [str(i // 5).encode() for i in range(100)]
    chosen = cut_validation(labels, keys)
    for key in set(keys):
        assert len({bool(chosen[i]) for i in range(100) if keys[i] == key}) == 1
    assert 0 < chosen.sum() < 100


def test_small_classes_keep_a_training_row():
    assert cut_validation(np.array([0, 0, 1]), [b"a", b"b", b"c"]).tolist().count(True) == 1
    assert not cut_validation(np.array([0, 1]), [b"a", b"b"]).any()


def test_unit_hash_is_a_fixed_number_in_the_unit_interval():
    values = np.array([unit_hash(f"face_{i}.jpg") for i in range(2000)])
    assert values.min() >= 0 and values.max() < 1
    assert abs(values.mean() - 0.5) < 0.02
    assert unit_hash("a") == pytest.approx(
        0xCA978112CA1BBD / 2**56
    )  # sha256("a") begins ca978112ca1bbd


def test_copies_of_one_picture_do_not_empty_a_class():
    labels = np.array([0, 0, 0, 1, 1])
    chosen = cut_validation(labels, [b"a", b"b", b"c", b"d", b"d"])
    assert not chosen[labels == 1].any() and chosen[labels == 0].sum() == 1


def test_a_person_may_have_a_name_that_is_no_unicode():
    names = [os.fsdecode(b"Ren\xe9" + str(number).encode()) for number in range(6)]
    cut = cut_persons(names, 0.3)
    assert 0 < cut.sum() < 6 and cut.tolist() == cut_persons(names, 0.3).tolist()
