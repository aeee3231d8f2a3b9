"""Making aiobotocore's client: its session, its credentials, and the way to its connections."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from ... import _runtime
from ._options import Options

if TYPE_CHECKING:
    from aiobotocore.session import AioSession

    from ._transports import HttpSession


async def prepared(options: Options) -> tuple[AioSession, dict[str, Any]]:
    """Return a session that has read its files, and what it takes to make a client.

    In a worker thread: importing the SDK and reading its models takes tenths of a second.
    """
    return await _runtime.in_thread(_prepared, options)


def _prepared(options: Options) -> tuple[AioSession, dict[str, Any]]:
    from . import _checks, _wire  # noqa: F401 - imported here, where that may take long
    from ._renewal import Chain

    _checks.load_optional()

    async def look() -> Any:
        other = await _runtime.in_thread(_session, options)
        return await other.get_component("credential_provider").load_credentials()

    session = _session(options)
    chain = Chain(session.get_component("credential_provider"), look)
    session.register_component("credential_provider", chain)
    return session, options.client_arguments(session.get_config_variable("region"))


def _session(options: Options) -> AioSession:
    from aiobotocore.session import AioSession

    session = AioSession(None, copy(_handlers()), include_builtin_handlers=False, profile=options.profile)
    session.register_component("data_loader", _models_like(session.get_component("data_loader")))
    return session


@cache
def _handlers() -> Any:
    """Return the SDK's own handlers of its events: to register all of them takes most of a session's time."""
    from aiobotocore.hooks import AioHierarchicalEmitter
    from aiobotocore.session import AioSession

    handlers = AioHierarchicalEmitter()
    AioSession(event_hooks=handlers)
    return handlers


_models: Final[dict[tuple[str, ...], Any]] = {}
"""What sessions have read of the SDK's models, by where they look: large, and the same for all clients."""


def _models_like(usual: Any) -> Any:
    """Return the reader of models that clients share, with all read that making a client looks at."""
    key = tuple(usual.search_paths)
    if key not in _models:
        from botocore.session import Session

        session = Session()
        session.register_component("data_loader", usual)
        session.create_client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106 - nothing is asked with it
        ).close()
        _models[key] = usual
    return _models[key]


def with_way_in(arguments: dict[str, Any]) -> list[HttpSession]:
    """Have the client use a session that we can send through; it is in the list once the client is made."""
    from aiobotocore.httpsession import AIOHTTPSession

    from ._transports import HttpSession

    made: list[HttpSession] = []

    class WayIn(HttpSession):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    config = arguments["config"]
    if getattr(config, "http_session_cls", AIOHTTPSession) is AIOHTTPSession:
        config.http_session_cls = WayIn  # the object is ours; merging loses it in older versions
    return made


def notice_hooks(events: Any, call: Callable[[], None]) -> None:
    """Have a call made when somebody registers a handler of a client's events from now on."""
    for name in ("register", "register_first", "register_last"):
        setattr(events, name, _noticed(getattr(events, name), call))


def _noticed(register: Callable[..., None], call: Callable[[], None]) -> Callable[..., None]:
    def registering(*args: Any, **options: Any) -> None:
        call()
        register(*args, **options)

    return registering
