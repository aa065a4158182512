"""What to try next: settings drawn from a method's search space by Optuna."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lrfer_bench.contract.search import Choice, LogUniform, Space
from lrfer_bench.errors import UserError

ROUND = 4
"""Trials that are drawn together, before any of them has a score.

It does not depend on the number of workers, so that the trials do not either. The first round is
drawn at random, later ones by what the rounds before them scored.
"""

ASKS = 30
Settings = Mapping[str, Any]
DIGITS = 3
"""Significant digits of a number that is drawn: enough for a weight, and easy to write by hand."""


def optuna_module() -> Any:
    """Optuna, imported late; UserError with the command that installs it where it is missing."""
    try:
        import optuna
    except ImportError as error:
        raise UserError(
            'tuning needs the package Optuna: pip install "lrfer-bench[tune]", or pip install '
            "optuna"
        ) from error
    return optuna


def drawn(
    space: Mapping[str, Space],
    tried: Sequence[tuple[Settings, float | None]],
    count: int,
    seed: int,
) -> list[dict[str, Any]]:
    """The next `count` settings to try, the same for the same arguments.

    tried: settings and their scores (higher is better; None: none yet, or it failed). They are not
    drawn again while the space holds others.
    """
    optuna = optuna_module()
    distributions = {name: _distribution(optuna, one) for name, one in space.items()}
    with _quiet(optuna):
        sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32, n_startup_trials=ROUND, multivariate=True, constant_liar=True
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for settings, score in tried:
            params = {name: _to_optuna(one, settings.get(name)) for name, one in space.items()}
            if score is not None and None not in params.values():
                study.add_trial(
                    optuna.trial.create_trial(
                        params=params, distributions=distributions, value=score
                    )
                )
        return _new(
            lambda: _settings(space, study.ask(distributions).params),
            [dict(settings) for settings, _ in tried],
            count,
        )


def _new(
    ask: Callable[[], dict[str, Any]], known: list[dict[str, Any]], count: int
) -> list[dict[str, Any]]:
    """Settings that are not known, or known ones where asking ASKS times brings nothing new."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        for _ in range(ASKS):
            settings = ask()
            if settings not in known and settings not in found:
                break
        found.append(settings)
    return found


def _distribution(optuna: Any, space: Space) -> Any:
    if isinstance(space, LogUniform):
        return optuna.distributions.FloatDistribution(space.low, space.high, log=True)
    return optuna.distributions.CategoricalDistribution(range(len(space.options)))


def _to_optuna(space: Space, value: Any) -> float | int | None:
    """A choice is known by its place, so that it may be anything. None: outside the space."""
    if isinstance(space, Choice):
        places = [k for k, option in enumerate(space.options) if plain(option) == plain(value)]
        return places[0] if places else None
    inside = isinstance(value, (int, float)) and space.low <= value <= space.high
    return float(value) if inside else None


def plain(value: Any) -> Any:
    """A value as it comes back from a file: tuples are lists."""
    return json.loads(json.dumps(value))


def _settings(space: Mapping[str, Space], params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(_from_optuna(one, params[name])) for name, one in space.items()}


def _from_optuna(space: Space, value: Any) -> Any:
    if isinstance(space, Choice):
        return space.options[value]
    places = DIGITS - 1 - math.floor(math.log10(value))
    return min(max(round(float(value), places), float(space.low)), float(space.high))


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Optuna neither logs nor warns of what it calls experimental; its settings are put back."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
