"""Former names: what a thing was called before, step by step."""

from __future__ import annotations

from collections.abc import Mapping


def names_of_today(steps: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(former name -> name of today, former name -> why it has none) from single steps old -> new.

    Names come the oldest first: of a -> b -> c, a comes before b.

    >>> names_of_today({"b": "c", "a": "b"})
    ({'a': 'c', 'b': 'c'}, {})
    """
    today: dict[str, tuple[int, str]] = {}
    wrong: dict[str, str] = {}
    for old in steps:
        path = [old]
        while path[-1] in steps and steps[path[-1]] not in path:
            path.append(steps[path[-1]])
        if path[-1] in steps:
            circle = " -> ".join([*path, steps[path[-1]]])
            wrong[old] = (
                f"the former names go in a circle: {circle}; one of them has to be the name in use"
            )
        else:
            today[old] = (len(path), path[-1])
    oldest_first = sorted(today, key=lambda old: -today[old][0])
    return {old: today[old][1] for old in oldest_first}, wrong
