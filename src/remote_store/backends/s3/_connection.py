"""One loop's client, and beside it the wire: the short way for plain requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ... import _runtime
from ._options import Options

if TYPE_CHECKING:
    from aiobotocore.client import AioBaseClient
    from aiobotocore.session import AioSession

    from ._signing import Credentials
    from ._transports import Base, HttpSession, Transport
    from ._wire import Wire

_LESSONS: Final = 3
"""How often the bucket's address is learnt anew before requests are left to the client for good."""
_PROBE: Final = "key"


async def connect(options: Options) -> Connection:
    """Make the running loop's client."""
    session, arguments = await _runtime.in_thread(_prepared, options)
    http = _with_way_in(arguments)
    client: AioBaseClient = await session.create_client("s3", **arguments).__aenter__()
    from botocore.handlers import add_expect_header

    # It makes every small upload wait for a second answer of the server.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    events: Any = client.meta.events  # its stubs know of no handler that returns something
    events.register_first("choose-signer.s3", _sign_urls_like_requests)
    return Connection(options, session, client, http[0] if http and options.hot_path else None)


def _sign_urls_like_requests(signature_version: object, **_: object) -> str | None:
    """Keep Signature Version 4 for presigned URLs, which botocore makes with the one of 2006 by default."""
    return "s3v4-query" if signature_version in ("v4-query", "s3v4-query") else None


class Connection:
    """Makes requests: plain ones by the wire, and by the client what the wire does not know or get."""

    def __init__(
        self, options: Options, session: AioSession, client: AioBaseClient, http: HttpSession | None
    ) -> None:
        self.client = client
        self._options, self._session, self._http = options, session, http
        self._wire: Wire | None = None
        self._transports: dict[tuple[str, str], Transport] = {}
        self._lessons = _LESSONS if http is not None else 0
        self._seen: dict[str, Any] = {}
        client.meta.events.register("before-sign.s3", self._look)

    def _look(self, request: Any, region_name: str, signature_version: object, **_: object) -> None:
        """Note how the client signs: presigned URLs, which are made to learn from, and requests."""
        region_name = request.context.get("signing", {}).get("region") or region_name
        if str(signature_version).endswith("-query"):
            self._seen.update(region=region_name, version=signature_version)
        else:
            self._seen["redirected"] = region_name

    async def request(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Make a request and return the answer in botocore's words. Raises what botocore raises."""
        answer = await self._by_wire(operation, parameters)
        if answer is None:
            answer = await getattr(self.client, operation)(**parameters)
        return answer

    async def _by_wire(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        wire = self._wire
        if wire is None:
            wire = await self._learnt()
            if wire is None:
                return None
        try:
            answer = await wire.request(operation, parameters)
        except wire.elsewhere:
            self._wire = None  # the client follows, and knows the way then
        except wire.network_errors:
            pass  # the client tries again, and tells what is wrong if it still is
        else:
            self._lessons = _LESSONS
            return answer
        return None

    async def _learnt(self) -> Wire | None:
        """Return the wire if the client's requests are for us to make, and it is not moved too often."""
        if self._lessons:
            self._lessons -= 1
            self._wire = await self._learn()
            if self._wire is None:
                self._lessons = 0
        return self._wire

    async def _learn(self) -> Wire | None:
        """Have the client work out where the bucket is; None if its requests are not for us to make."""
        from ._transports import base_of
        from ._wire import Checks, Wire

        assert self._http is not None
        client: Any = self.client  # the methods of a client are made at run time
        parameters = {"Bucket": self._options.bucket, "Key": _PROBE}
        url: str = await client.generate_presigned_url("get_object", Params=parameters)
        config = client.meta.config
        if config.signature_version not in (None, "s3v4") or self._seen.get("version") not in _UNDERSTOOD:
            return None
        # A presigned URL has the host of the region that a redirect led to, but not its name.
        base = base_of(url, _PROBE, self._seen.get("redirected") or self._seen["region"])
        if base is None:
            return None
        checks = Checks(
            getattr(config, "request_checksum_calculation", None) != "when_required",
            getattr(config, "response_checksum_validation", None) != "when_required",
        )
        return Wire(await self._transport(base), base, self._credentials(), checks)

    async def _transport(self, base: Base) -> Transport:
        from ._transports import transport_for

        assert self._http is not None
        server = base.scheme, base.host
        if server not in self._transports:
            own = self._options.hot_path != "aiohttp"
            made = await transport_for(self._http, self.client.meta.config, base, own)
            self._transports.setdefault(server, made)  # somebody else may have been quicker
        return self._transports[server]

    def _credentials(self) -> Callable[[], Awaitable[Credentials]]:
        from ._signing import Credentials
        from ._wire import Elsewhere

        options, session = self._options, self._session
        given = options.client_arguments()
        if given.get("aws_access_key_id") is not None:
            fixed = Credentials(
                given["aws_access_key_id"], given["aws_secret_access_key"], given.get("aws_session_token")
            )

            async def return_fixed() -> Credentials:
                return fixed

            return return_fixed

        async def ask() -> Credentials:
            found = await session.get_credentials()
            if found is None:
                raise Elsewhere  # the client says what to do
            frozen = await found.get_frozen_credentials()
            return Credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token)

        return ask

    async def aclose(self) -> None:
        """Close the client and all connections."""
        for transport in self._transports.values():
            await transport.aclose()
        await self.client.__aexit__(None, None, None)


_UNDERSTOOD: Final = ("s3v4", "s3v4-query", "s3-query")
"""What botocore calls the signatures of plain buckets; a presigned URL may have the oldest kind."""


def _with_way_in(arguments: dict[str, Any]) -> list[HttpSession]:
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


def _prepared(options: Options) -> tuple[AioSession, dict[str, Any]]:
    """Return a session that has read its files, and what it takes to make a client.

    In a worker thread: importing the SDK and reading its models takes tenths of a second.
    """
    from aiobotocore.session import AioSession

    from . import _checks, _wire  # noqa: F401 - imported here, where that may take long

    _checks.load_optional()

    session = AioSession(profile=options.profile)
    session.register_component("data_loader", _models_like(session.get_component("data_loader")))
    return session, options.client_arguments(session.get_config_variable("region"))
