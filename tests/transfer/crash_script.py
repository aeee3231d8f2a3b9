"""A transfer in a process of its own, which tells on disk what has arrived, and may kill itself.

python -m tests.transfer.crash_script ARGUMENTS        as JSON
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remote_store import (
    Backend,
    EventKind,
    PlanItem,
    Store,
    TransferEvent,
    TransferOptions,
    TransferReport,
    WriteOptions,
    WriteResult,
    apply_plan,
    copy_tree,
)
from remote_store.backend import Part, PartWriter
from remote_store.backends import LocalBackend, S3Backend
from remote_store.wrapper import BackendWrapper, PartWriterWrapper


class Dying(BackendWrapper):
    """Kills its process when the storage has done so many calls of an operation, and nobody knows it."""

    def __init__(self, inner: Backend, operation: str, at: int) -> None:
        super().__init__(inner)
        self._operation, self._left = operation, at

    def did(self, operation: str) -> None:
        self._left -= operation == self._operation
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    async def write_bytes(
        self,
        path: str,
        data: memoryview,
        *,
        overwrite: bool = False,
        atomic: bool = False,
        options: WriteOptions | None = None,
    ) -> WriteResult:
        result = await super().write_bytes(path, data, overwrite=overwrite, atomic=atomic, options=options)
        self.did("write_bytes")
        return result

    async def delete(self, path: str, *, missing_ok: bool = False) -> None:
        await super().delete(path, missing_ok=missing_ok)
        self.did("delete")

    async def open_parts(
        self,
        path: str,
        *,
        size: int,
        overwrite: bool = False,
        options: WriteOptions | None = None,
        token: str | None = None,
    ) -> PartWriter:
        found = await super().open_parts(path, size=size, overwrite=overwrite, options=options, token=token)
        self.did("open_parts")
        return DyingParts(found, self)


class DyingParts(PartWriterWrapper):
    def __init__(self, inner: PartWriter, backend: Dying) -> None:
        super().__init__(inner)
        self._backend = backend
        self.at_once = 1  # so that each part is noted before the next is begun

    async def write(self, number: int, data: Any, crc32: int) -> Part:
        part = await super().write(number, data, crc32)
        self._backend.did("parts.write")
        return part

    async def commit(self, parts: Sequence[Part]) -> WriteResult:
        result = await super().commit(parts)
        self._backend.did("parts.commit")
        return result


def backend(kind: str, options: dict[str, Any]) -> Backend:
    return LocalBackend(**options) if kind == "local" else S3Backend(**options)


def main(arguments: dict[str, Any]) -> TransferReport:
    log = os.open(arguments["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(event: TransferEvent) -> None:
        if event.kind is EventKind.BYTES:  # one small write, which a kill does not tear
            os.write(log, f"{event.size}\n".encode())

    to = backend(*arguments["target"])
    if "die" in arguments:
        to = Dying(to, *arguments["die"])
    given: dict[str, Any] = {
        "options": TransferOptions(**arguments["options"]), "on_event": note, "journal": arguments["journal"],
    }  # fmt: skip
    with Store(backend(*arguments["source"])) as source, Store(to) as target:
        if "plan" not in arguments:
            return copy_tree(source, "", target, "copy", **given)
        lines = Path(arguments["plan"]).read_text().splitlines()
        return apply_plan(map(PlanItem.from_json, lines), source, "", target, "copy", **given)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1])).as_dict()))
