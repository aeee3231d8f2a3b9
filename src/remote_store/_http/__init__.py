"""A lean HTTP/1.1 client on asyncio's protocols, for direct connections to one server.

What storage services need and no more: whole requests, streamed answers, a bounded pool.
No redirects, cookies, proxies or content codings; who needs those has a general client.

    _answer       one answer as its bytes arrive: parser, limits, what is buffered
    _connection   one connection: a request out, its answer in, time limits
    _response     an answer as who asked reads it
    _pool         connections to one server, shared by the tasks of one loop
    _turns        those who wait for one
"""

from ._answer import BadAnswer as BadAnswer
from ._pool import ConnectTimeout as ConnectTimeout
from ._pool import NoConnection as NoConnection
from ._pool import Origin as Origin
from ._pool import Pool as Pool
from ._response import Response as Response
from ._turns import NoneFree as NoneFree
