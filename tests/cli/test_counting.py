"""How much there is to move, counted beside a transfer."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote_store import Action, EventKind, PlanItem, Store, TransferEvent, plan_sync
from remote_store.backends import LocalBackend
from remote_store.cli._counting import Counting, Differing
from remote_store.cli._under_way import UnderWay
from remote_store.transfer.plan import Version

OLD, NEW = Version(1, None, None), Version(10, None, None)
PLAN = [
    PlanItem(Action.CREATE, "new", "", NEW),
    PlanItem(Action.UPDATE, "changed", "", NEW, OLD),
    PlanItem(Action.DELETE, "gone", "", None, OLD),
    PlanItem(Action.UNCHANGED, "same", "", NEW, NEW),
    PlanItem(Action.UNCHANGED, "copied just now", "", NEW, NEW),
]


def planned(path: str) -> TransferEvent:
    return TransferEvent(EventKind.PLANNED, path, 10)


@pytest.mark.spec("CLI-012")
def test_what_was_copied_before_it_was_compared_counts() -> None:
    found = Differing(lambda: PLAN, "root")
    found.note(planned("root/same"))  # nobody counts yet
    with Counting(found) as counting:
        assert found._begun is not None or counting.ended
        counting._thread.join()
    assert (counting.files, counting.bytes, counting.ended) == (3, 20, True)

    sizes = found()
    found.note(planned("root/copied just now"))
    found.note(TransferEvent(EventKind.DONE, "root/same", 10))
    assert list(sizes) == [10, 10, 0, 10]
    assert found._begun is None  # what comes after the count needs no memory


@pytest.mark.spec("CLI-012")
def test_a_comparison_that_fails_counts_nothing(tmp_path: Path) -> None:
    with Store(LocalBackend(tmp_path)) as store:
        found = Differing(lambda: plan_sync(store, "f", store, "other"), "f")
        (tmp_path / "f").write_bytes(b"")
        with Counting(found) as counting:
            counting._thread.join()
    assert not counting.ended


@pytest.mark.spec("CLI-012")
def test_parts_that_stay_are_not_taken_back() -> None:
    told = UnderWay()
    for kind, size in ((EventKind.STARTED, 10), (EventKind.BYTES, 8), (EventKind.RETRIED, 3)):
        told.add(TransferEvent(kind, "f", size))
    assert (told.bytes, told.current) == (5, {"f": 5})
    told.add(TransferEvent(EventKind.DONE, "f", 10))
    assert (told.bytes, told.current) == (10, {})
