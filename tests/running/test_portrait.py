"""What a method's code tells of it: settings, stages, models, size."""

from __future__ import annotations

import pytest

from lrfer_bench.plugins.registry import METHODS
from lrfer_bench.running.portrait import portrait


def test_settings_have_their_defaults_and_types() -> None:
    found = {setting.name: setting for setting in portrait("gmenet").settings}
    assert found["kd_weight"].default == 1.0 and found["kd_weight"].type == "float"
    assert found["heads"].default == 1 and found["heads"].type == "int"
    assert found["attention"].type == "Literal['both', 'channel', 'spatial', 'none']"


def test_stages_and_models_are_those_of_a_run() -> None:
    """An SR network a scale and one HR classifier for all."""
    found = portrait("cascade")
    assert found.trains == "nothing"
    assert found.stages == {
        "superres": "superres, trained on LR faces",
        "classifier": "classifier, trained on HR faces",
    }
    assert [name.partition(" (")[0] for name in found.models] == [
        "superres bicubic@1 x2", "classifier HR", "superres bicubic@1 x4", "superres bicubic@1 x8",
    ]  # fmt: skip
    parts = portrait("superres").parameters[4] + portrait("classifier").parameters[4]
    assert found.parameters[4] == parts, "its stages are counted"


@pytest.mark.parametrize("name", METHODS.names())
def test_every_method_can_be_looked_at(name: str) -> None:
    found = portrait(name)
    assert found.macs and all(
        value > 0 for value in (*found.macs.values(), *found.parameters.values())
    )
    assert found.models
