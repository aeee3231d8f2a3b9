"""Many deletions in one request, whose answer tells of each key that failed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ... import _runtime
from ...errors import BackendUnavailable, RemoteStoreError
from ._api import Api
from ._errors import CODES, NAME

LONGEST_WAIT: Final = 20.0
"""Seconds before another try, as the SDK has it."""


async def delete_batch(api: Api, keys: Sequence[str]) -> None:
    """Delete up to a thousand keys; those whose failures may pass by themselves are tried again.

    The SDK does that for requests, and this one has succeeded.
    """
    left, tries = list(keys), 0
    while left:
        # Not ``Quiet``: an answer that names nothing is that of a server, or of something else that answers.
        wanted = {"Objects": [{"Key": key} for key in left]}
        answer = await api.request("delete_objects", None, {"Delete": wanted})
        failures = [failure for failure in answer.get("Errors", ()) if failure.get("Code") != "NoSuchKey"]
        tries += 1
        lasting = [failure for failure in failures if not _may_pass(failure)]
        if lasting or (failures and tries >= await _most_tries(api)):
            raise _error(lasting or failures, len(failures), len(keys))
        _require_all(answer, left)
        left = [failure["Key"] for failure in failures]
        if left:
            await _runtime.sleep(random.random() * min(2.0 ** (tries - 1), LONGEST_WAIT))  # noqa: S311


def _require_all(answer: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Refuse what does not tell of each key. They are counted: not all servers write each name alike."""
    missing = len(keys) - len(answer.get("Deleted", ())) - len(answer.get("Errors", ()))
    if missing > 0:
        raise RemoteStoreError(
            f"the server's answer does not tell whether {missing} of {len(keys)} objects were deleted",
            path=keys[0],
            backend=NAME,
        )


def _may_pass(failure: Mapping[str, Any]) -> bool:
    row = CODES.get(failure.get("Code", ""))
    return row is not None and row.kind is BackendUnavailable and "Key" in failure


async def _most_tries(api: Api) -> int:
    """Return how often a request is made, as the client is configured."""
    client: Any = await api.client()
    return int((client.meta.config.retries or {}).get("total_max_attempts", 1))


def _error(failures: Sequence[Mapping[str, Any]], count: int, of: int) -> RemoteStoreError:
    first = failures[0]
    row = CODES.get(first.get("Code", ""))
    kind = row.kind if row is not None else RemoteStoreError
    return kind(
        f"{count} of {of} objects could not be deleted; the first: {first.get('Code')}"
        f" {first.get('Message', '')}".rstrip(),
        path=first.get("Key"),
        backend=NAME,
    )
