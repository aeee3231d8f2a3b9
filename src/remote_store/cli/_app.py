"""The program: what all commands have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from . import _bench, _change, _copy, _errors, _look, _mirror, _stores
from ._errors import reporting


class Program(TyperGroup):
    """What goes wrong before a command begins is one line, too."""

    make_context = reporting(TyperGroup.make_context)
    invoke = reporting(TyperGroup.invoke)


app = typer.Typer(
    name="remote-store",
    cls=Program,
    help="Files in stores: local, S3, SFTP. A LOCATION is store-name:path, a URL, or a path of this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"remote-store {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Configuration with the stores; by default ./remote-store.toml.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    version: Annotated[  # noqa: ARG001 - its callback does it
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before the command."""
    context.obj = config
    _errors.debug = debug


for module in (_look, _copy, _mirror, _change, _stores, _bench):
    module.add_to(app)
