"""Tools for testing storage backends, ours and anybody's. Needs pytest.

    BackendContract    what every backend has to do, as tests: subclass it
"""

import pytest

pytest.register_assert_rewrite("remote_store.testing._contract")  # before it is imported: failures show values

from ._contract import BackendContract  # noqa: E402 - see above

__all__ = ["BackendContract"]
