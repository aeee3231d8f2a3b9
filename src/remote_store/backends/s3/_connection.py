"""One loop's client, and beside it the wire: the short way for plain requests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from ._client import notice_hooks, prepared, with_way_in
from ._errors import EXPIRED, SKEWED, code_of, date_of, status_of
from ._options import Options

if TYPE_CHECKING:
    from aiobotocore.client import AioBaseClient
    from aiobotocore.session import AioSession

    from ._first_try import FirstTry
    from ._signing import Credentials
    from ._transports import Base, HttpSession, Transport
    from ._wire import Wire

_LESSONS: Final = 3
"""How often the bucket's address is learnt anew before requests are left to the client for good."""
_PROBE: Final = "key"
_UNDERSTOOD: Final = ("s3v4", "s3v4-query", "s3-query", "remote-store-s3v4-query")
"""What the signatures of plain buckets are called; a presigned URL may have the oldest kind, or ours."""


async def connect(options: Options) -> Connection:
    """Make the running loop's client."""
    session, arguments = await prepared(options)
    http = with_way_in(arguments)
    client: AioBaseClient = await session.create_client("s3", **arguments).__aenter__()
    return Connection(options, session, client, http[0] if http and options.hot_path else None)


def _sign_urls_like_requests(signature_version: object, **_: object) -> str | None:
    """Keep Signature Version 4 for presigned URLs, which botocore makes with the one of 2006 by default."""
    return "s3v4-query" if signature_version in ("v4-query", "s3v4-query") else None


class Connection:
    """Makes requests: plain ones by the wire, and by the client what the wire does not know or get."""

    def __init__(
        self, options: Options, session: AioSession, client: AioBaseClient, http: HttpSession | None
    ) -> None:
        from ._clock import Clock

        self.client = client
        self._options, self._session, self._http = options, session, http
        self._clock = Clock()
        self._wire: Wire | None = None
        self._transports: dict[tuple[str, str], Transport] = {}
        self._lessons = _LESSONS if http is not None else 0
        self._seen: dict[str, Any] = {}
        self._base: Base | None = None
        self._ask: Callable[[], Awaitable[Credentials | None]] | None = None
        self._renewals = 0
        self._hooked = False
        self._listen()

    def _listen(self) -> None:
        from botocore.handlers import add_expect_header

        from ._first_try import note, tell

        events: Any = self.client.meta.events  # its stubs know of no handler that returns something
        # It makes every small upload wait for a second answer of the server.
        events.unregister("before-call.s3", add_expect_header)
        self._clock.signs(self.client)  # before the next: the first one that answers is taken
        events.register_first("choose-signer.s3", _sign_urls_like_requests)
        events.register("before-sign.s3", self._look)
        events.register("before-send.s3", tell)
        events.register("before-parse.s3.GetObject", note)
        notice_hooks(events, self._leave_all_to_the_client)

    def _leave_all_to_the_client(self) -> None:
        """Make no more requests past the client: there are handlers that want to see all."""
        self._hooked, self._wire = True, None

    def _look(self, request: Any, region_name: str, signature_version: object, **_: object) -> None:
        """Note how the client signs: presigned URLs, which are made to learn from, and requests."""
        region_name = request.context.get("signing", {}).get("region") or region_name
        if str(signature_version).endswith("-query"):
            self._seen.update(region=region_name, version=signature_version)
        else:
            self._seen["redirected"] = region_name

    async def request(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Make a request and return the answer in botocore's words. Raises what botocore raises.

        Once more, if the clock or the credentials were refused and there are better ones.
        """
        renewals = self._renewals
        try:
            return await self._tried(operation, parameters)
        except Exception as error:  # noqa: BLE001 - raised below, unless the second try succeeds
            told = await self._explained(operation, parameters, error)
            if not await self._mended(told, renewals):
                raise told from told.__cause__
        return await self._tried(operation, parameters)

    async def _tried(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        found = await self._by_wire(operation, parameters)
        if isinstance(found, dict):
            return found
        return await self._by_client(operation, parameters, found)

    async def _by_client(
        self, operation: str, parameters: Mapping[str, Any], known: FirstTry | None
    ) -> dict[str, Any]:
        from ._first_try import call_after

        body = parameters.get("Body")
        if isinstance(body, (bytearray, memoryview)):  # of which botocore makes no file, as it does of bytes
            parameters = {**parameters, "Body": BytesIO(body)}
        try:
            with call_after(known):
                answer: dict[str, Any] = await getattr(self.client, operation)(**parameters)
        finally:
            if self._wire is not None and self._seen.get("redirected") not in (None, self._wire.region):
                self._wire = self._base = None  # the client knows the way now
        return answer

    async def _by_wire(
        self, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any] | FirstTry | None:
        wire = self._wire or await self._learnt()
        if wire is None:
            return None
        found = await wire.request(operation, parameters)
        if isinstance(found, dict):
            self._lessons = _LESSONS
        elif found is not None and found.elsewhere:
            self._wire = self._base = None  # the client follows
        return found

    # -- what can be mended ----------------------------------------------------

    async def _explained(self, operation: str, parameters: Mapping[str, Any], error: Exception) -> Exception:
        """Return the error that says why: the answer to HEAD has a status, and the one to GET a code."""
        if operation != "head_object" or status_of(error) not in (400, 403):
            return error
        try:
            answer = await self._tried("get_object", {**parameters, "Range": "bytes=0-0"})
        except Exception as told:  # noqa: BLE001 - it is raised, or the first one is
            return told if status_of(told) == status_of(error) else error
        answer["Body"].close()
        return error

    async def _mended(self, error: Exception, renewals: int) -> bool:
        """Return True if there is a reason to hope that the same request will be taken now."""
        code = code_of(error)
        if code in SKEWED:
            return self._clock.set_by(date_of(error))
        return code in EXPIRED and await self._renewed(renewals)

    async def _renewed(self, renewals: int) -> bool:
        from ._renewal import Renewable

        if self._given() is not None:
            return False
        found: object = await self._session.get_credentials()
        if not isinstance(found, Renewable):
            return False
        renewed = await found.renew(renewals)
        self._renewals = found.count
        return renewed

    # -- learning the way ------------------------------------------------------

    async def _learnt(self) -> Wire | None:
        """Return the wire if the client's requests are for us to make, and it is not moved too often."""
        if self._lessons and not self._hooked:
            self._lessons -= 1
            self._wire = await self._learn()
            if self._wire is None:
                self._lessons = 0
        return self._wire

    async def _learn(self) -> Wire | None:
        """Have the client work out where the bucket is; None if its requests are not for us to make."""
        from ._wire import Checks, Wire, agent_of

        base = await self.base()
        config: Any = self.client.meta.config
        if config.signature_version not in (None, "s3v4") or self._seen.get("version") not in _UNDERSTOOD:
            return None
        if base is None:
            return None
        checks = Checks(
            getattr(config, "request_checksum_calculation", None) != "when_required",
            getattr(config, "response_checksum_validation", None) != "when_required",
        )
        given: Any = self._options.config()
        agent = agent_of(given.user_agent, config)
        return Wire(await self._transport(base), base, self.credentials, checks, self._clock, agent)

    async def base(self) -> Base | None:
        """Return where the bucket is, as the client works it out; None if that cannot be said."""
        from ._transports import base_of

        if self._base is None:
            client: Any = self.client  # the methods of a client are made at run time
            parameters = {"Bucket": self._options.bucket, "Key": _PROBE}
            url: str = await client.generate_presigned_url("get_object", Params=parameters)
            # A presigned URL has the host of the region that a redirect led to, but not its name.
            region = self._seen.get("redirected") or self._seen.get("region") or client.meta.region_name
            self._base = base_of(url, _PROBE, region)
        return self._base

    @property
    def ca_file(self) -> str | bool | None:
        """What certificates are checked with: a file, False if they are not, None for the usual."""
        given: str | bool | None = self._options.client_options.get("verify")
        if given is None:
            given = self._session.get_config_variable("ca_bundle")
        return None if given is True else given

    async def _transport(self, base: Base) -> Transport:
        from ._transports import transport_for

        assert self._http is not None
        server = base.scheme, base.host
        if server not in self._transports:
            own = self._options.hot_path != "aiohttp"
            made = await transport_for(self._http, self.client.meta.config, base, own)
            self._transports.setdefault(server, made)  # somebody else may have been quicker
        return self._transports[server]

    def _given(self) -> Credentials | None:
        """Return the credentials that the user gave; None if they are the chain's."""
        from ._signing import Credentials

        given = self._options.client_arguments()
        if given.get("aws_access_key_id") is None:
            return None
        return Credentials(
            given["aws_access_key_id"], given["aws_secret_access_key"], given.get("aws_session_token")
        )

    async def credentials(self) -> Credentials | None:
        """Return what to sign with now; None if only the client knows what to do."""
        if self._ask is None:
            self._ask = self._asking()
        return await self._ask()

    def _asking(self) -> Callable[[], Awaitable[Credentials | None]]:
        from ._signing import Credentials

        session, fixed = self._session, self._given()

        async def return_fixed() -> Credentials | None:
            return fixed

        async def ask() -> Credentials | None:
            found = await session.get_credentials()
            if found is None:
                return None
            frozen = await found.get_frozen_credentials()
            return Credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token)

        return ask if fixed is None else return_fixed

    async def aclose(self) -> None:
        """Close the client and all connections."""
        for transport in self._transports.values():
            await transport.aclose()
        await self.client.__aexit__(None, None, None)
