"""The program with files and a configuration; many files; stores that stand still."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.cli.support import CONFIG, FILES, Done, Run
from typer.testing import CliRunner

from remote_store.cli._app import app


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give the program, in a folder with a configuration and with files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REMOTE_STORE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "remote-store.toml").write_text(CONFIG)
    for name, data in FILES.items():
        (tmp_path / "root" / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / "x" / name).write_bytes(data)

    def call(*arguments: str, code: int = 0) -> Done:
        done = Done(CliRunner().invoke(app, list(arguments)))
        assert done.code == code, (done.out, done.err)
        assert code or not [line for line in done.err.splitlines() if line.startswith("remote-store:")]
        return done

    return call


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Give a folder with files."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number:04}").write_bytes(bytes(2000))
    return folder


@pytest.fixture
def slow(tmp_path: Path) -> list[str]:
    """Give the program with a store ``slow``, of whose two files one stands still, and one ``stuck``."""
    config = tmp_path / "slow.toml"
    config.write_text(
        "".join(
            f'[backends.{name}]\ntype = "{name}"\n[stores.{name}]\nbackend = "{name}"\n'
            for name in ("slow", "stuck")
        )
    )
    return [sys.executable, str(Path(__file__).with_name("slow_program.py")), "--config", str(config)]
