"""Plugin files from call to call in one process, as in a notebook, and what of them travels."""

from __future__ import annotations

from pathlib import Path

import pytest
import registries
from scripts import MINE

from lrfer_bench.errors import UserError
from lrfer_bench.plugins.loading import (
    files_to_name,
    load_plugin,
    load_plugins,
    loaded_contents,
    recall_plugin,
)
from lrfer_bench.plugins.registry import METHODS, PLUGIN_ERRORS


def files(folder: Path, *names: str) -> list[Path]:
    """Plugin files that all want the name "mine", of the numbers 1, 2, ..."""
    places = [folder / f"{name}.py" for name in names]
    for number, place in enumerate(places, 1):
        place.write_text(MINE.format(number))
    return places


def test_a_file_of_an_earlier_call_is_among_what_workers_run(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE.format(1))
    with registries.pristine():
        load_plugins([file])
        load_plugins()
        assert loaded_contents() == [(str(file), file.read_bytes())]
        file.write_text("")
        load_plugins([file])
        assert loaded_contents() == [], "nothing comes from it any more"


def test_two_files_of_one_name_dispute_it_while_both_are_asked_for(tmp_path: Path) -> None:
    """In a notebook, a copy that was tried and given up takes no name from the first file."""
    first, copy = files(tmp_path, "mine", "copy")
    with registries.pristine():
        load_plugins([first])
        load_plugins([copy])
        with pytest.raises(UserError, match=r"is taken by mine\.py"):
            METHODS.entry("mine")
        load_plugins([first])
        assert METHODS.load("mine").number == 1


def test_what_a_record_alone_brought_makes_room(tmp_path: Path) -> None:
    """Look at an old model first, then run the class as it is now."""
    old, new = files(tmp_path, "old", "new")
    with registries.pristine():
        recall_plugin(old, old.read_bytes())
        assert METHODS.load("mine").number == 1
        load_plugins([new])
        assert METHODS.load("mine").number == 2 and not PLUGIN_ERRORS
        recall_plugin(new, new.read_bytes())
        load_plugins([new, old])
        assert "is taken by new.py" in PLUGIN_ERRORS[str(old)], "the user's own stays the user's"


def in_a_worker(contents: list[tuple[str, bytes]]) -> dict[str, int]:
    """The number of each method that a new process knows once it loaded what travels."""
    with registries.pristine():
        for file, content in contents:
            load_plugin(Path(file), content)
        assert not PLUGIN_ERRORS
        return {e.name: METHODS.load(e.name).number for e in METHODS if "sha256:" in e.source}


def test_a_recalled_file_gives_way_with_all_that_it_brought(tmp_path: Path) -> None:
    """A method and its teacher: workers could load the one file only, or the other."""
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text(MINE.format(1) + MINE.format(1).replace('"mine"', '"teacher"'))
    new.write_text(MINE.format(2))
    with registries.pristine():
        recall_plugin(old, old.read_bytes())
        load_plugins([new])
        assert "teacher" not in METHODS.names()
        travels = loaded_contents()
    assert in_a_worker(travels) == {"mine": 2}


def test_a_recalled_file_that_is_asked_for_gives_way_no_more(tmp_path: Path) -> None:
    mine, new = files(tmp_path, "mine", "new")
    with registries.pristine():
        recall_plugin(mine, mine.read_bytes())
        load_plugins([mine, new])
        assert "is taken by mine.py" in PLUGIN_ERRORS[str(new)]


def test_files_travel_in_the_order_in_which_they_were_loaded(tmp_path: Path) -> None:
    """The first has the name that both want, here and in workers."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(MINE.format(1) + MINE.format(1).replace('"mine"', '"teacher"'))
    second.write_text(MINE.format(2).replace('"mine"', '"other"'))
    with registries.pristine():
        load_plugins([first])
        load_plugins([second])
        travels = loaded_contents([second])
    assert [Path(file).name for file, _ in travels] == ["first.py", "second.py"]
    assert in_a_worker(travels) == {"mine": 1, "teacher": 1, "other": 2}


def test_a_request_names_no_file_twice_and_none_that_is_gone(tmp_path: Path) -> None:
    """Two results folders hold copies of a script's class; one was edited since."""
    places = [tmp_path / folder / "mine.py" for folder in ("one", "two")]
    for place in places:
        place.parent.mkdir()
        place.write_text(MINE.format(1))
    with registries.pristine():
        load_plugins([places[0]])
        source = METHODS.entry("mine").source
        assert files_to_name({source}, []) == [places[0]]
        load_plugins([places[1]])
        assert files_to_name({source}, [places[1]]) == []
        places[1].write_text("# edited since")
        assert files_to_name({source}, []) == [], "what workers run is no longer in it"
