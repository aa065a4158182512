"""The ids of all checks, each with its title: a table of its own, so that --list needs no torch."""

from __future__ import annotations

TITLES = {
    "declares": "is a method with a card and settings",
    "builds": "builds, takes a step and answers",
    "keeps_stages": "leaves its stages alone",
    "votes": "learns annotators' votes under --targets soft",
    "trains": "trains with its stages",
    "learns": "learns its training faces",
    "repeatable": "repeats when stopped and resumed, with other test images",
    "survives_saving": "answers the same after saving and loading",
    "any_batch": "answers the same in any batch and order",
    "blind": "answers the same with the HR test images out of reach",
    "costs": "costs for one face",
    "ends_processes": "leaves no process behind",
}
"""In the order in which the checks are made."""
