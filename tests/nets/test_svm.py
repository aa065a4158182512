"""The linear SVM as a module."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lrfer_bench.nets.svm import LinearSVM


@pytest.mark.parametrize("present", [(0, 1, 2), (0, 2), (1, 2)])
def test_svm_says_what_scikit_learn_says(present: tuple[int, ...]) -> None:
    from sklearn.svm import LinearSVC

    rng = np.random.default_rng(0)
    labels = np.array(present)[np.arange(60) % len(present)]
    x = rng.normal(size=(60, 4)) + 2 * np.eye(4)[labels]
    svm = LinearSVM(4, 3)
    svm.fit(torch.from_numpy(x).float(), torch.from_numpy(labels))
    machine = LinearSVC(dual=False, random_state=0).fit(
        x.astype(np.float32).astype(np.float64), labels
    )
    answers = svm(torch.from_numpy(x).float())
    assert answers.argmax(1).tolist() == machine.predict(x).tolist()
    if len(present) == 3:
        np.testing.assert_allclose(answers.numpy(), machine.decision_function(x), atol=1e-4)
    assert set(svm.state_dict()) == {"weight", "bias"}
