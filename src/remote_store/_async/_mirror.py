"""What a copy of a folder lacks, and how it gets that. The blocking functions are generated from these."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from .._types import AsyncPlan
from ..errors import NotFound
from ..paths import PathLike, normalize
from ..transfer._applying import Applying
from ..transfer.events import OnEvent
from ..transfer.options import TransferOptions
from ..transfer.plan import COMPARISONS, Compare, PlanItem
from ..transfer.report import TransferReport
from ._listing import Listing
from ._nested import refuse_deleted, refuse_nested
from ._places import (
    Sides,
    journaled,
    options_of,
    require_stores,
    run_transfer,
)
from ._store import AsyncStore

if TYPE_CHECKING:
    from ..transfer._in_parts import InParts
    from ..transfer._ledger import Ledger


def plan_sync(
    source: AsyncStore,
    source_path: PathLike,
    target: AsyncStore,
    target_path: PathLike = "",
    *,
    compare: Compare = "time",
    delete: bool = False,
) -> Listing[PlanItem]:
    """Find out what a copy of a folder lacks; change nothing.

    Both sides are listed at the same time, folder by folder, a few folders ahead of the lines that
    are asked for. A line can be saved by ``PlanItem.to_json``, and a plan be split between any two
    lines, and applied in parts, anywhere.

    Args:
        source: the store that has the files.
        source_path: the folder in it; ``""`` is all of the store.
        target: the store with the copy.
        target_path: the folder that is to become the same.
        compare: what tells, beside the size, that a file has changed: ``"time"``, the source was
            changed after the target, which does not notice a file of the same size with an older
            time, or the same; ``"checksum"`` or ``"etag"``, the storages tell another one, or
            one of them none, so that the file is copied each time (local disk and SFTP tell neither,
            and ETags of two kinds of storage are never the same); ``"size"``, nothing else.
        delete: plan to delete files that the source does not have.

    Raises:
        InvalidPath: a path is malformed; or, at the first line, the target lies within the source, or
            with ``delete`` the source within the target.
        NotFound: at the first line: there is no folder at ``source_path``, and ``delete`` is given.
        ValueError: ``compare`` is unknown.
    """
    sides = (source, source_path, target, target_path)
    require_stores(source, target)
    return _plan(sides, compare, delete, lambda: _refuse(sides, delete))


def _plan(
    sides: Sides, compare: Compare, delete: bool, before: Callable[[], Awaitable[None]] | None = None
) -> Listing[PlanItem]:
    """Return the lines of a plan; ``before`` is awaited before the first one."""
    if compare not in COMPARISONS:
        raise ValueError(f"compare must be one of {', '.join(COMPARISONS)}, not {compare!r}")
    from ..transfer._differences import Differences  # it needs a loop's module

    source, source_path, target, target_path = sides
    here, there = normalize(source_path), normalize(target_path)
    found = Differences(source, here, target, there, compare, delete, before)
    return Listing(source._scope, "", "", found)


async def _refuse(sides: Sides, delete: bool) -> None:
    """Refuse what would never end, and what would delete too much."""
    await refuse_nested(*sides)
    if delete:
        await refuse_deleted(*sides)


async def apply_plan(
    plan: AsyncPlan,
    source: AsyncStore,
    source_path: PathLike,
    target: AsyncStore,
    target_path: PathLike = "",
    *,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
    journal: str | os.PathLike[str] | None = None,
) -> TransferReport:
    """Do what a plan says, each line only if both files are as they were when it was made.

    A line whose files have changed fails by ``PreconditionFailed``, and nothing is overwritten or
    deleted for it. Where the target has conditional writes, that holds up to the moment of writing.

    Args:
        plan: what ``plan_sync`` gave, or a part of it.
        source: the store that has the files.
        source_path: the folder that the plan was made for.
        target: the store that they are copied into.
        target_path: the folder that the plan was made for.
        options: how; the plan says what is replaced, and not ``overwrite``.
        on_event: called with each ``TransferEvent``.
        journal: a file in which to note what is done; see ``copy_tree``. Each part of a plan that is
            applied by a process of its own needs its own.

    Returns:
        What was done, as numbers.

    Raises:
        TransferFailed: some lines failed, the others are done; its ``report`` tells of all.
        TypeError: the plan holds something else.
        InvalidPath, RemoteStoreError: as for ``copy_tree``.
    """
    require_stores(source, target)
    chosen = options_of(options)
    sides = (source, source_path, target, target_path)
    parts = await journaled(journal, {"call": "apply_plan"}, sides, chosen)
    return await _apply(plan, sides, chosen, on_event, parts, parts.ledger if parts else None)


async def sync(
    source: AsyncStore,
    source_path: PathLike,
    target: AsyncStore,
    target_path: PathLike = "",
    *,
    compare: Compare = "time",
    delete: bool = False,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
    journal: str | os.PathLike[str] | None = None,
) -> TransferReport:
    """Make a folder the same as another: ``plan_sync``, and ``apply_plan`` line by line.

    Args:
        source: the store that has the files.
        source_path: the folder in it; ``""`` is all of the store.
        target: the store with the copy.
        target_path: the folder that is to become the same.
        compare: what tells that a file has changed; see ``plan_sync``.
        delete: delete files that the source does not have.
        options: how; what has changed is replaced whatever ``overwrite`` says.
        on_event: called with each ``TransferEvent``; of files that are the same there is none.
        journal: a file in which to note what is done; see ``copy_tree``.

    Returns:
        What was done, as numbers.

    Raises:
        NotFound: there is no folder at ``source_path``: an empty one would delete everything. With
            ``delete`` the source's own root has to be there, too.
        TransferFailed, InvalidPath, RemoteStoreError: as for ``apply_plan``.
    """
    require_stores(source, target)
    sides = (source, source_path, target, target_path)
    chosen = options_of(options)
    await _refuse(sides, delete)
    if not delete and normalize(source_path) and not await source.is_folder(source_path):
        raise NotFound("there is no such folder to mirror; check the path", path=str(source_path))
    call = {"call": "sync", "compare": compare, "delete": delete}
    parts = await journaled(journal, call, sides, chosen)
    async with _plan(sides, compare, delete) as plan:
        return await _apply(plan, sides, chosen, on_event, parts)


async def _apply(
    plan: AsyncPlan,
    sides: Sides,
    options: TransferOptions,
    on_event: OnEvent,
    parts: InParts | None,
    lines: Ledger | None = None,
) -> TransferReport:
    """Do what a plan says; ``lines`` is the journal that is to know its lines."""
    source, source_path, target, target_path = sides
    here, there = normalize(source_path), normalize(target_path)
    applying = Applying(source, here, target, there, options, parts)
    return await run_transfer(
        applying.items(plan, lines), applying.apply, (source, target), options, on_event, parts
    )
