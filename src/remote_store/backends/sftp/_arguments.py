"""What asyncssh is told to make a connection with."""

from __future__ import annotations

import os
from typing import Any, Final

from ... import _runtime
from ..._sftp.transport import Connector
from ...errors import BackendUnavailable
from ._errors import NAME
from ._hostkeys import Check
from ._keys import load_private_key
from ._login import FACTORY, known_as
from ._options import DEFAULT_PORT, Options

KEEPALIVE_SECONDS: Final = 15
FAST_CIPHERS: Final = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""Half the processor time of asyncssh's first choice, chacha20-poly1305."""
_OWN_WAY: Final = {"tunnel", "proxy_command", "config", "sock", "family", "flags", "local_addr"}
"""Options of the user's that say how to get there: then asyncssh goes that way by itself."""


async def arguments_of(options: Options, check: Check, connector: Connector) -> dict[str, Any]:
    """Return what asyncssh is told of a connection.

    Raises:
        BackendUnavailable: the private key cannot be used.
    """
    arguments: dict[str, Any] = {
        "known_hosts": check.reached_by,
        "server_host_key_algs": check.algorithms(*await _runtime.in_thread(known_as, options)),
        "config": None,
        "connect_timeout": options.timeout,
        "login_timeout": options.timeout,
        "keepalive_interval": KEEPALIVE_SECONDS,
        "encryption_algs": FAST_CIPHERS,
        "compression_algs": None,
    }
    if not _OWN_WAY & set(options.connect_kwargs):
        arguments["tunnel"] = connector
    if options.port != DEFAULT_PORT or "config" not in options.connect_kwargs:
        arguments["port"] = options.port  # otherwise the user's files may name another
    if options.username is not None:
        arguments["username"] = options.username
    if options.password is not None or options.pkey is not None:
        # Who says how to log in wants no key of the agent's tried, and counted, before.
        arguments.update(client_keys=None, agent_path=None)
    if options.answers is None:
        arguments["password"] = options.password
    if options.pkey is not None:
        arguments["client_keys"] = [await _runtime.in_thread(_key, options)]
    elif options.passphrase is not None:
        arguments["passphrase"] = options.passphrase
    given = {name: value for name, value in options.connect_kwargs.items() if name != FACTORY}
    return {**arguments, **given}


def _key(options: Options) -> Any:
    if not isinstance(options.pkey, str):
        return options.pkey
    from_file = "-----BEGIN" not in options.pkey
    source = os.path.expanduser(options.pkey) if from_file else options.pkey
    try:
        return load_private_key(source, from_file=from_file, passphrase=options.passphrase)
    except (ValueError, OSError) as error:
        raise BackendUnavailable(str(error), backend=NAME, retryable=False) from error
