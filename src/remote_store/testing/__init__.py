"""Tools for testing storage backends, ours and anybody's. Needs pytest.

BackendContract    what every backend has to do, as tests: subclass it
FaultyBackend      a backend that fails as a script of Fault objects says
"""

import pytest

# Before it is imported: a failing assert of the suite then shows the values in it.
pytest.register_assert_rewrite("remote_store.testing._contract")

from ._contract import BackendContract  # noqa: E402 - see above
from ._faulty import FaultyBackend  # noqa: E402 - see above
from ._script import Fault, Record  # noqa: E402 - see above

__all__ = ["BackendContract", "Fault", "FaultyBackend", "Record"]
