"""Lines about a plan that a user should see before anything is trained."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lrfer_bench.contract.preset import preset_of
from lrfer_bench.errors import UserError
from lrfer_bench.planning.notes import scale_notes
from lrfer_bench.planning.request import Request, _check_validation


def test_a_size_in_pixels_that_was_taken_for_a_scale_is_answered() -> None:
    (first, second) = scale_notes([24, 12, 6], (48, 48))
    assert "for faces of 24 pixels ask for scale 2" in first
    assert "4 pixels of 48" in second and "ask for scale 4" in second


def test_usual_scales_get_no_line() -> None:
    assert scale_notes([1, 2, 3, 4, 6, 8], (48, 48)) == ()
    assert scale_notes([16, 100], (100, 100)) == (), "no size of these is 16, and 100 is one pixel"


@pytest.mark.parametrize("fresh", [0, 1])
def test_an_epoch_is_not_chosen_on_faces_none_of_which_counts(fresh: int) -> None:
    prepared: Any = SimpleNamespace(faces=SimpleNamespace(leaked={"val": np.arange(9) >= fresh}))
    for preset in ("cpu@2", "paper@1"):
        request = Request(["direct"], "mine", preset=preset_of(preset))
        if fresh or preset == "cpu@2":
            _check_validation(request, prepared)
            continue
        with pytest.raises(UserError, match="all 9 validation faces of the"):
            _check_validation(request, prepared)
