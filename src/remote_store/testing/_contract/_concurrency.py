"""Many at once: who wins, and what the others see."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest

from ..._async import AsyncStore
from ...backend import CHUNK_SIZE, Backend
from ...capabilities import Capability
from ...errors import AlreadyExists, RemoteStoreError
from .._spec import needs, spec
from ._base import HOW, ContractBase, all_at_once, all_of, assert_same, fill, paths_of


class Concurrency(ContractBase):
    """Races between tasks, and between two backend objects over the same storage."""

    def stores(self, raw: Backend, second: Backend) -> list[AsyncStore]:
        """Return as many stores as there are racers, on both backend objects."""
        return [self.open((raw, second)[number % 2]) for number in range(self.creators)]

    @spec("STORE-032", "BE-012", "BE-004")
    @needs("write", "read", "list")
    @pytest.mark.parametrize("how", [*HOW, "pieces"])
    async def test_one_of_many_creators_wins(self, raw: Backend, second: Backend, how: str) -> None:
        stores = self.stores(raw, second)
        self.skip_unless_able(stores[0], how)
        await self.skip_unless_exclusive(stores[0])
        for turn in range(self.rounds):
            path = f"folder {turn}/file"

            async def create(number: int, path: str = path) -> int:
                content = f"{number:02}".encode() * 1000
                if how == "pieces":
                    await stores[number].write(path, [content[:7], content[7:]])
                else:
                    await self.put(stores[number], how, path, content)
                return number

            outcomes = await all_at_once([lambda n=n: create(n) for n in range(self.creators)])  # type: ignore[misc]
            winner = self.only_winner(outcomes)
            assert_same(await stores[0].read_bytes(path), f"{winner:02}".encode() * 1000)
            assert await paths_of(stores[1].list_files(f"folder {turn}")) == [path]

    @spec("STORE-032", "STORE-047", "BE-004")
    @needs("write", "read", "list")
    @pytest.mark.parametrize("verb", ["move", "copy"])
    async def test_one_of_many_movers_wins(self, raw: Backend, second: Backend, verb: str) -> None:
        stores = self.stores(raw, second)
        if not stores[0].supports(Capability(verb)):
            pytest.skip(f"the backend has no {verb.upper()} capability")
        await self.skip_unless_exclusive(stores[0])
        for turn in range(self.rounds):
            sources = [f"from {turn}/{number:02}" for number in range(self.creators)]
            await fill(stores[0], *sources)
            path = f"to {turn}/file"

            async def transfer(number: int, path: str = path, sources: list[str] = sources) -> int:
                store = stores[number]
                await (store.move if verb == "move" else store.copy)(sources[number], path)
                return number

            outcomes = await all_at_once([lambda n=n: transfer(n) for n in range(self.creators)])  # type: ignore[misc]
            winner = self.only_winner(outcomes)
            assert_same(await stores[0].read_bytes(path), sources[winner].encode())
            kept = [source for source in sources if verb == "copy" or source != sources[winner]]
            assert await paths_of(stores[1].list_files(f"from {turn}")) == kept

    def only_winner(self, outcomes: list[int | Exception]) -> int:
        """Return the one number among the outcomes; all others have to be AlreadyExists."""
        winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
        losers = [outcome for outcome in outcomes if not isinstance(outcome, int)]
        assert all(type(loser) is AlreadyExists for loser in losers), losers
        assert len(winners) == 1, winners
        return winners[0]

    @spec("STORE-030", "STR-011", "BE-004")
    @needs("write", "read")
    @pytest.mark.parametrize("how", HOW)
    async def test_readers_see_whole_versions(self, raw: Backend, second: Backend, how: str) -> None:
        """While a file is replaced again and again, each read gives one of its versions, or an error."""
        writing, reading = self.open(raw), self.open(second)
        self.skip_unless_able(writing, how)
        versions = [bytes([65 + n]) * (CHUNK_SIZE + 1000 * n) for n in range(5)]
        await writing.write("file", versions[0])
        seen: set[bytes] = set()
        done = False

        async def keep_reading(number: int) -> None:
            while not done:
                try:
                    if number % 2:
                        seen.add(await reading.read_bytes("file"))
                    else:
                        async with await reading.read("file") as stream:
                            seen.add(b"".join(await all_of(stream)))
                except RemoteStoreError:
                    pass  # the file changed while it was read: allowed
                await anyio.lowlevel.checkpoint()  # a backend in memory may never wait for anything

        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(keep_reading, number)
            for version in (*versions, *versions):
                await self.put(writing, how, "file", version, overwrite=True)
                await anyio.sleep(0.002)
            done = True
        assert seen
        assert seen <= set(versions)
        assert_same(await reading.read_bytes("file"), versions[-1])

    @spec("STORE-029", "BE-004")
    @needs("write", "read", "list")
    async def test_many_writers_of_one_file(self, raw: Backend, second: Backend) -> None:
        """All succeed; one is the last, and its content is there whole."""
        stores = self.stores(raw, second)
        versions = [bytes([65 + n]) * (1000 + n) for n in range(16)]
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda n=n: stores[n].write("a/file", versions[n], overwrite=True)  # type: ignore[misc]
            for n in range(16)
        ]
        outcomes = await all_at_once(calls)
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        assert await stores[0].read_bytes("a/file") in versions
        assert await paths_of(stores[1].list_files("a")) == ["a/file"]

    @spec("STORE-010", "BE-004")
    @needs("write", "read", "delete", "list", "recursive_list")
    async def test_many_files_at_once(self, raw: Backend, second: Backend) -> None:
        """Folders come into being and go while others work in them."""
        stores = self.stores(raw, second)

        async def live(number: int) -> None:
            store = stores[number]
            for turn in range(5):
                path = f"shared/{turn}/{number}"
                await store.write(path, path.encode())
                assert_same(await store.read_bytes(path), path.encode())
                await store.delete(path)

        outcomes = await all_at_once([lambda n=n: live(n) for n in range(16)])  # type: ignore[misc]
        assert [outcome for outcome in outcomes if outcome is not None] == []
        assert await paths_of(stores[0].list_files(recursive=True)) == []
