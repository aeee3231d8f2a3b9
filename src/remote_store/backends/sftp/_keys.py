"""Private keys as people have them: files, texts, and texts that a key vault has mangled."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncssh import SSHKey

_ARMOUR: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_HEADER: Final = re.compile(r"(Proc-Type|DEK-Info): *([^\s]+)")
_LINE: Final = 64
_KINDS: Final = ("ssh-rsa", "ssh-ed25519", "ecdsa-", "sk-ssh-ed25519", "sk-ecdsa-")
"""As asyncssh names them; those that begin with sk are of a security key."""


def load_private_key(
    source: str | bytes | os.PathLike[str], *, from_file: bool = False, passphrase: str | None = None
) -> SSHKey:
    """Return a private key of type RSA, Ed25519 or ECDSA, in PEM or OpenSSH's own form.

    Line breaks that were lost or written out, as key vaults and environment variables do to
    them, are put back. Decrypting a key takes up to seconds.

    Args:
        source: the text of the key, or with ``from_file`` the path of its file.
        from_file: ``source`` is a path.
        passphrase: what the key is encrypted with, if it is.

    Raises:
        ValueError: this is no private key, or the passphrase is missing or wrong.
        OSError: the file cannot be read.
    """
    import asyncssh

    if from_file:
        with open(source, "rb") as file:
            text = file.read().decode("utf-8", "replace")
    elif isinstance(source, (str, bytes)):
        text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    else:
        raise TypeError("a path needs from_file=True")
    try:
        key = asyncssh.import_private_key(repaired(text), passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise ValueError(
            f"the private key cannot be used; check that it is whole, and its passphrase: {error}"
        ) from error
    if not key.get_algorithm().startswith(_KINDS):
        raise ValueError(f"the private key is of type {key.get_algorithm()}; use RSA, Ed25519 or ECDSA")
    return key


def repaired(text: str) -> str:
    """Return the text of a key with its lines as they belong.

    Raises:
        ValueError: it does not begin and end as a key does.
    """
    found = _ARMOUR.search(text.replace("\\r", "").replace("\\n", "\n"))
    if found is None:
        raise ValueError(
            "this is no private key: it has to begin with '-----BEGIN ... KEY-----' and end with"
            " '-----END ... KEY-----'; pass from_file=True if it is a path"
        )
    label, body = found[1], found[2]
    headers = [f"{name}: {value}" for name, value in _HEADER.findall(body)]
    packed = re.sub(r"\s+", "", _HEADER.sub("", body))
    lines = [packed[at : at + _LINE] for at in range(0, len(packed), _LINE)]
    above = [*headers, ""] if headers else []
    return "\n".join([f"-----BEGIN {label}-----", *above, *lines, f"-----END {label}-----", ""])
