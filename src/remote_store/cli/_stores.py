"""Commands about stores themselves: ping, config."""

from __future__ import annotations

import time

import typer

from .._secrets import masked
from ._errors import Usage, reporting
from ._look import Json, Location
from ._output import printable, say, say_json
from ._places import Places

config = typer.Typer(help="The configuration.", no_args_is_help=True)


@reporting
def ping(context: typer.Context, location: Location, as_json: Json = False) -> None:
    """Check that a store answers, and say how long that took, with the connection and without."""
    with Places(context.obj) as places:
        place = places.find(location)
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            place.store.ping()
            seconds.append(time.perf_counter() - begun)
        if as_json:
            say_json({"first_seconds": seconds[0], "seconds": seconds[1]})
        else:
            say(f"{place.text} answers: {seconds[0] * 1000:.1f} ms, and again {seconds[1] * 1000:.1f} ms")


@config.command()
@reporting
def show(context: typer.Context, as_json: Json = False) -> None:
    """Show the stores of the configuration, with secrets masked."""
    places = Places(context.obj)
    file = places.config_file()
    if file is None:
        raise Usage("there is no configuration; see --config")
    found = places.config()
    stores = {
        name: {
            "backend": profile.backend,
            "type": found.backends[profile.backend].type,
            "root_path": profile.root_path,
            "options": masked(dict(found.backends[profile.backend].options)),
        }
        for name, profile in found.stores.items()
    }
    if as_json:
        say_json({"file": str(file), "stores": stores})
        return
    say(f"configuration: {file}")
    for name, facts in stores.items():
        say(f"{name}:")
        for key, value in facts.items():
            print(f"  {key + ':':<12}{printable(str(value))}")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(ping)
    app.add_typer(config, name="config")
