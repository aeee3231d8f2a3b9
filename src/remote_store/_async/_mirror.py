"""What a copy of a folder lacks, and how it gets that. The blocking functions are generated from these."""

from __future__ import annotations

from .._types import AsyncPlan
from ..errors import NotFound
from ..paths import PathLike, normalize
from ..transfer._applying import Applying
from ..transfer._differences import Differences
from ..transfer.events import OnEvent
from ..transfer.options import TransferOptions
from ..transfer.plan import COMPARISONS, Compare, PlanItem
from ..transfer.report import TransferReport
from ._listing import Listing
from ._places import options_of, refuse_nested, require_stores, run_transfer
from ._store import AsyncStore


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
    are asked for. A line can be saved by
    ``PlanItem.to_json``, and a plan be split between any two lines, and applied in parts, anywhere.

    Args:
        source: the store that has the files.
        source_path: the folder in it; ``""`` is all of the store.
        target: the store with the copy.
        target_path: the folder that is to become the same.
        compare: what tells, beside the size, that a file has changed: ``"time"``, the source was
            changed after the target; ``"checksum"`` or ``"etag"``, the storages tell another one,
            or none; ``"size"``, nothing else.
        delete: plan to delete files that the source does not have.

    Raises:
        InvalidPath: a path is malformed, or one folder lies within the other.
        ValueError: ``compare`` is unknown.
    """
    require_stores(source, target)
    refuse_nested(source, source_path, target, target_path)
    refuse_nested(target, target_path, source, source_path)
    if compare not in COMPARISONS:
        raise ValueError(f"compare must be one of {', '.join(COMPARISONS)}, not {compare!r}")
    here, there = normalize(source_path), normalize(target_path)
    return Listing(source._scope, "", "", Differences(source, here, target, there, compare, delete))


async def apply_plan(
    plan: AsyncPlan,
    source: AsyncStore,
    source_path: PathLike,
    target: AsyncStore,
    target_path: PathLike = "",
    *,
    options: TransferOptions | None = None,
    on_event: OnEvent = None,
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

    Returns:
        What was done, as numbers.

    Raises:
        TransferFailed: some lines failed, the others are done; its ``report`` tells of all.
        TypeError: the plan holds something else.
        InvalidPath, RemoteStoreError: as for ``copy_tree``.
    """
    require_stores(source, target)
    chosen = options_of(options)
    here, there = normalize(source_path), normalize(target_path)
    applying = Applying(source, here, target, there, chosen)
    return await run_transfer(applying.items(plan), applying.apply, (source, target), chosen, on_event)


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

    Returns:
        What was done, as numbers.

    Raises:
        NotFound: there is no folder at ``source_path``: an empty one would delete everything.
        TransferFailed, InvalidPath, RemoteStoreError: as for ``apply_plan``.
    """
    require_stores(source, target)
    if normalize(source_path) and not await source.is_folder(source_path):
        raise NotFound("there is no such folder to mirror; check the path", path=str(source_path))
    applying = (source, source_path, target, target_path)
    async with plan_sync(*applying, compare=compare, delete=delete) as plan:
        return await apply_plan(plan, *applying, options=options, on_event=on_event)
