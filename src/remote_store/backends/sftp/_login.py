"""What a server, or asyncssh for it, asks while somebody logs in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import asyncssh

from ... import _runtime
from ._hostkeys import Check
from ._options import DEFAULT_PORT, Options

if TYPE_CHECKING:
    from asyncssh import SSHKey

FACTORY: Final = "client_factory"


def client_of(options: Options, check: Check) -> Callable[[], asyncssh.SSHClient]:
    """Return what makes the object that asyncssh asks, for one connection."""
    factory = options.connect_kwargs.get(FACTORY)
    if factory is not None:
        return lambda: _checking(factory(), check)
    if options.answers is not None:
        return lambda: _Answering(check, options.answers, options.password)
    return lambda: _Client(check)


def _checking(client: asyncssh.SSHClient, check: Check) -> asyncssh.SSHClient:
    """Let a client of the user's decide about everything but host keys: the policy does that."""
    client.validate_host_public_key = check.decide  # type: ignore[method-assign]
    client.validate_host_ca_key = lambda *_: False  # type: ignore[method-assign]
    return client


class _Client(asyncssh.SSHClient):
    def __init__(self, check: Check) -> None:
        self._check = check

    def validate_host_public_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:
        return self._check.decide(host, addr, port, key)


class _Answering(_Client):
    """Answers questions one by one, each once: who asks again has refused the answer."""

    def __init__(self, check: Check, answers: Callable[[str], str] | None, password: str | None) -> None:
        super().__init__(check)
        self._answers, self._password = answers, password
        self._asked: set[str] = set()

    def password_auth_requested(self) -> str | None:
        """Give the password, unless it was an answer already."""
        password, self._password = self._password, None
        return password

    def kbdint_auth_requested(self) -> str | None:
        return None if self._asked else ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        texts = [text for text, _ in prompts]
        if self._asked.intersection(texts):
            return None
        self._asked.update(texts)
        try:
            return [await self._answer(text) for text in texts]
        except Exception as error:  # noqa: BLE001 - it is the user's function, and asyncssh would drop it
            self._check.refusal = f"a question of the login was not answered: {error!r}"
            return None

    async def _answer(self, text: str) -> str:
        if self._password is not None and "password" in text.lower():
            password, self._password = self._password, None
            return password
        assert self._answers is not None
        answer = await _runtime.in_thread(self._answers, text)
        if not isinstance(answer, str):
            raise TypeError(f"answers must return str, not {type(answer).__name__}")
        return answer


def known_as(options: Options) -> tuple[str, int]:
    """Return the name and port that the keys on file are for: a configuration may have others.

    It reads files. What is wrong with them, the attempt to connect tells.
    """
    given = options.connect_kwargs
    alias, config = given.get("host_key_alias"), given.get("config")
    name: str = alias or options.host
    if config is None:
        return name, options.port
    port: Any = () if options.port == DEFAULT_PORT else options.port
    user: Any = () if options.username is None else options.username
    try:
        resolved = asyncssh.SSHClientConnectionOptions(
            config=config, host=options.host, port=port, username=user, known_hosts=None, client_keys=None,
            agent_path=None, host_key_alias=alias or (),
        )  # fmt: skip
    except (asyncssh.Error, OSError, ValueError):
        return name, options.port
    return resolved.host_key_alias or resolved.host, resolved.port
