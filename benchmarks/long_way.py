"""Ways to servers that hold back what passes: ``python -m benchmarks.long_way PORT...``.

Prints the port of each way as a JSON list, and serves until its standard input ends. Whatever
passes is held back for 10 ms in each direction.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Final

DELAY_SECONDS: Final = 0.010


async def long_way(target: int) -> int:
    """Serve a long way to a port; return the port of the way."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target, limit=1 << 22)
        await asyncio.gather(held_back(reader, back), held_back(there, writer))

    server = await asyncio.start_server(one, "127.0.0.1", 0, limit=1 << 22)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def held_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(1 << 18):
        loop.call_later(DELAY_SECONDS, writer.write, data)
    loop.call_later(2 * DELAY_SECONDS, writer.close)


async def main(ports: list[int]) -> None:
    print(json.dumps([await long_way(port) for port in ports]), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main([int(port) for port in sys.argv[1:]]))
