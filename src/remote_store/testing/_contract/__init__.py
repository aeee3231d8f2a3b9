"""The contract suite: one file for each thing that a backend does.

_base          how storage is made, the four ways, what tests ask for
_operations    every operation in a table, for rules that hold for all
the others     tests, as classes that ``BackendContract`` brings together
"""

from __future__ import annotations

from ._blocking_files import BlockingFiles
from ._concurrency import Concurrency
from ._content import Content
from ._deleting import Deleting
from ._errors import Errors
from ._globbing import Globbing
from ._lifecycle import Lifecycle
from ._listing import Listings
from ._moving import Moving
from ._names import Names
from ._options import Options
from ._pages import PageRules
from ._parts import InParts
from ._questions import Questions
from ._readers import Readers
from ._reading import Reading
from ._streams import Streams
from ._write_streams import WriteStreams
from ._writers import Writers
from ._writing import Writing

__all__ = ["BackendContract"]


class BackendContract(
    Questions,
    Reading,
    Streams,
    BlockingFiles,
    Writing,
    WriteStreams,
    Content,
    Deleting,
    Listings,
    Globbing,
    Moving,
    Errors,
    Names,
    Readers,
    Writers,
    InParts,
    PageRules,
    Options,
    Concurrency,
    Lifecycle,
):
    """Holds a backend to the contract. Subclass it in a test file and say how to make one.

        class TestMine(BackendContract):
            def make_backend(self, tmp_path: Path) -> Backend:
                return MyBackend(tmp_path)

    Each test runs under asyncio, asyncio with uvloop, trio, and through the blocking
    ``Store``; a way whose package is not installed is skipped, and so are tests of
    capabilities that the backend does not declare. Where two objects can work on the same
    storage, define ``make_second`` as well, so that races between them are tested. A
    storage that needs more than a folder (a server, a bucket) is prepared by overriding
    the fixture ``prepared``, which runs before ``make_backend`` and may use other fixtures.

    The tests use anyio's pytest plugin, which comes with anyio; set nothing up for it.
    """
