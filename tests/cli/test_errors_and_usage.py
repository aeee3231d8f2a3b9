"""Errors, and command lines that make no sense."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import Mock

import pytest
import typer
from tests.cli.support import Run
from typer.core import TyperGroup
from typer.testing import CliRunner

from remote_store import EventKind, RemoteStoreError, Store, TransferEvent, errors
from remote_store.backends import MemoryBackend
from remote_store.cli._app import app
from remote_store.cli._errors import _OPTIONS, reporting, words
from remote_store.cli._places import Place
from remote_store.cli._telling import telling


@pytest.mark.spec("CLI-013")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cp", "Missing argument.*; see .* cp --help"),
        ("cat s:a.txt --offset -1", "Invalid value for '--offset': .*; see .* cat --help"),
        ("ls --wrong s:", "No such option: --wrong.*; see .* ls --help"),
        ("--wrong", "No such option: --wrong.*; see .* --help"),
        ("bogus", "No such command 'bogus'; see .* --help"),
        ("config bogus", "No such command 'bogus'; see .* config --help"),
    ],
)
def test_a_command_line_that_makes_no_sense(run: Run, line: str, said: str) -> None:
    assert re.fullmatch(f"remote-store: {said}\n", run(*line.split(), code=2).err)


@pytest.mark.spec("CLI-013")
def test_no_command_shows_the_help(run: Run) -> None:
    for line in ([], ["config"]):
        done = run(*line, code=2)
        assert "Usage:" in done.out + done.err
        assert "remote-store:" not in done.err


@pytest.mark.spec("CLI-014")
def test_interrupted_before_the_command_begins(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TyperGroup, "resolve_command", Mock(side_effect=KeyboardInterrupt))
    assert run("ls", "s:", code=130).err.count("\n") == 1


@pytest.mark.spec("CLI-013")
@pytest.mark.parametrize(("in_python", "here"), _OPTIONS.items())
def test_advice_is_that_of_the_command_line(in_python: str, here: str) -> None:
    assert words(RemoteStoreError(f"it failed; {in_python}")).endswith(here)
    sources = Path(errors.__file__).parent.rglob("*.py")
    said = [path for path in sources if path.parent.name != "cli" and in_python in path.read_text()]
    assert said, "no message of the library says so any more"


@pytest.mark.spec("CLI-013")
@pytest.mark.parametrize("as_json", [False, True])
def test_a_failure_after_others_is_told_once(capfd: pytest.CaptureFixture[str], as_json: bool) -> None:
    failures = [RemoteStoreError(f"reset {number}", path="f") for number in range(2)]

    @reporting
    def command() -> None:
        with Store(MemoryBackend()) as store:
            place = Place(store, "", "m:", "m:")
            with telling(place, place, as_json=as_json) as tell:
                for kind, error in zip((EventKind.RETRIED, EventKind.FAILED), failures, strict=True):
                    tell(TransferEvent(kind, "f", 0, error))
                raise failures[1]

    with pytest.raises(typer.Exit) as raised:
        command()
    out, err = capfd.readouterr()
    assert raised.value.exit_code == 1
    assert err == ("" if as_json else "remote-store: m:f: reset 1\n")
    assert out.count('"error": "m:f: reset') == (2 if as_json else 0)


@pytest.mark.spec("CLI-013")
def test_errors(run: Run) -> None:
    assert run("ls", "s:nope", code=3).err == "remote-store: s:nope: there is no such file or folder\n"
    assert "No such command" in run("bogus", code=2).err
    result = CliRunner().invoke(app, ["--debug", "cat", "s:nope"])
    assert isinstance(result.exception, FileNotFoundError)
    assert run("--version").out.startswith("remote-store 0.")
