"""Progress and errors in a notebook."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rich.console import Console

from lrfer_bench.calls import notebook
from lrfer_bench.errors import CellError, DataError, UserError
from lrfer_bench.running.status import Status


def test_elsewhere_a_run_tells_lines(capsys: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    status = Status(1, 1, note="a worker died")
    with notebook.display_of(said.append)(status) as listener:
        listener(status)
    assert said == ["note: a worker died"]
    with notebook.display_of(None)(status) as listener:
        listener(status)
    with notebook.watch_of(print)() as tick:
        assert tick is None
    assert not capsys.readouterr().out


def in_a_notebook(monkeypatch: pytest.MonkeyPatch, widgets: bool) -> None:
    console = Console(force_jupyter=True)
    monkeypatch.setattr("rich.console.Console", lambda: console)
    found = SimpleNamespace() if widgets else None
    monkeypatch.setattr(notebook, "find_spec", lambda name: found)


def test_in_a_notebook_print_becomes_a_picture_and_an_own_tell_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_a_notebook(monkeypatch, widgets=True)
    assert notebook.notebook_console() is not None
    assert notebook.display_of(print).func is notebook.live  # type: ignore[attr-defined]
    assert notebook.display_of([].append).func is not notebook.live  # type: ignore[attr-defined]
    assert notebook.watch_of(print).func is notebook.bar_of_reading  # type: ignore[attr-defined]


def test_without_ipywidgets_a_notebook_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_notebook(monkeypatch, widgets=False)
    assert notebook.notebook_console() is None


@pytest.mark.parametrize("kind", [UserError, DataError, CellError])
def test_an_error_is_one_sentence_in_a_notebook(kind: type[Exception]) -> None:
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.io import capture_output

    shell = InteractiveShell()
    shell.user_ns["error"] = kind("there is no method: \x1b[2J name one")
    with capture_output() as said:
        shell.run_cell("raise error")
    shown = said.stdout + said.stderr
    assert f"{kind.__name__}: there is no method" in shown
    assert "Traceback" not in shown and "\x1b[2J" not in shown and shown.strip().count("\n") == 0
