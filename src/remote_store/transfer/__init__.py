"""Many files at once: bounded in memory, tried again, counted.

options       what the user asks for
events        what happens, one value for each step
report        the sum of all events
plan          what a mirror lacks
_differences  finds what a mirror lacks, folder by folder
_applying     a plan put into practice
_budget       bytes in memory, shared by all files under way
_items        which files there are, found as they are needed
_copying      one file from one store to another
_in_parts     one large file, part by part, under a journal
_sending      its parts on their way, some at the same time
_folders      folders that are left when their files are gone
_engine       workers, failures, events
_retry        calls that are made again
_journal      what is done, in a file that outlives the process
_ledger       the journal for many tasks at once
_recorded     work that is written down
_ahead        many small files in order, read or written ahead of who asks
_arguments    what a caller gives one by one

Nothing here knows where it runs: it stands on anyio, under asyncio and trio alike. Blocking
callers have the whole of it run on the background loop.
"""

from .events import EventKind, TransferEvent
from .options import TransferOptions
from .plan import Action, PlanItem, Version
from .report import Failure, Outcome, TransferFailed, TransferReport

__all__ = [
    "Action",
    "EventKind",
    "Failure",
    "Outcome",
    "PlanItem",
    "TransferEvent",
    "TransferFailed",
    "TransferOptions",
    "TransferReport",
    "Version",
]
