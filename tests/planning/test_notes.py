"""Lines about a plan that a user should see before anything is trained."""

from __future__ import annotations

from lrfer_bench.planning.notes import scale_notes


def test_a_size_in_pixels_that_was_taken_for_a_scale_is_answered() -> None:
    (first, second) = scale_notes([24, 12, 6], (48, 48))
    assert "for faces of 24 pixels ask for scale 2" in first
    assert "4 pixels of 48" in second and "ask for scale 4" in second


def test_usual_scales_get_no_line() -> None:
    assert scale_notes([1, 2, 3, 4, 6, 8], (48, 48)) == ()
    assert scale_notes([16, 100], (100, 100)) == (), "no size of these is 16, and 100 is one pixel"
