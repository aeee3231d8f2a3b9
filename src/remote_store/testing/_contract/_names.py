"""Names: whatever a store reports can be handed back to it."""

from __future__ import annotations

from ..._async import AsyncStore
from ...capabilities import Capability
from ...models import FileInfo, RemoteFolder
from ...paths import RemotePath
from .._spec import needs, spec
from ._base import ContractBase, all_of, paths_of


class Names(ContractBase):
    """Odd names, deep paths, and the round trip of all of them."""

    @spec("STORE-003", "BE-001", "PATH-006")
    @needs("write", "read", "list")
    async def test_odd_names_of_files(self, store: AsyncStore, inner: AsyncStore) -> None:
        for where in (store, inner):
            for number, name in enumerate(self.odd_names):
                await where.write(f"files/{name}", f"{number}".encode())
            for number, name in enumerate(self.odd_names):
                assert await where.read_bytes(f"files/{name}") == f"{number}".encode(), name
                assert await where.is_file(f"files/{name}"), name
            infos = await all_of(where.list_files("files"))
            assert sorted(info.name for info in infos) == sorted(self.odd_names)
            for info in infos:
                assert info.path == RemotePath("files") / info.name
                assert await where.read_bytes(info.path) == await where.read_bytes(str(info.path))

    @spec("STORE-003", "BE-001", "PATH-006")
    @needs("write", "read", "list")
    async def test_odd_names_of_folders(self, store: AsyncStore) -> None:
        for name in self.odd_names:
            await store.write(f"folders/{name}/{name}", b"x")
        assert sorted(await all_of(store.list_folders("folders"))) == sorted(self.odd_names)
        for entry in await all_of(store.iter_children("folders")):
            assert isinstance(entry, RemoteFolder)
            assert entry.path == RemotePath("folders") / entry.name
            assert await store.is_folder(entry.path)
            assert [info.name async for info in store.list_files(entry.path)] == [entry.name]

    @spec("STORE-003", "BE-001", "STORE-041")
    @needs("write", "read", "list")
    async def test_whatever_is_reported_can_be_used(self, store: AsyncStore, inner: AsyncStore) -> None:
        for name in self.odd_names:
            await inner.write(f"{name}/{name}", name.encode())
        reported: list[FileInfo] = []
        async for folder, folders, files in inner.walk():
            assert await inner.is_folder(folder)
            for sub in folders:
                assert await inner.is_folder(folder / sub)
            reported += files
        assert sorted(info.name for info in reported) == sorted(self.odd_names)
        for info in reported:
            assert await inner.read_bytes(info.path) == info.name.encode()
        if inner.supports(Capability.METADATA):
            for info in reported:
                assert (await inner.get_file_info(info.path)).path == info.path
                assert (await inner.get_folder_info(info.path.parent or "")).file_count == 1

    @spec("STORE-003", "STORE-046")
    @needs("write", "read", "move", "copy", "delete", "list")
    async def test_odd_names_can_be_moved_copied_and_deleted(self, store: AsyncStore) -> None:
        for name in self.odd_names:
            await store.write(name, name.encode())
            await store.copy(name, f"copies/{name}")
            await store.move(name, f"moved/{name}")
            assert await store.read_bytes(f"copies/{name}") == name.encode()
            assert await store.read_bytes(f"moved/{name}") == name.encode()
            assert not await store.exists(name)
            await store.delete(f"copies/{name}")
        assert await paths_of(store.list_files("copies")) == []
        await store.delete_folder("moved", recursive=True)
        assert not await store.exists("moved")

    @spec("STORE-005", "PATH-006")
    @needs("write", "read", "list")
    async def test_odd_names_of_roots(self, store: AsyncStore) -> None:
        for name in self.odd_names:
            child = store.child(name)
            await child.write("file", name.encode())
            assert await paths_of(child.list_files()) == ["file"]
            assert await store.read_bytes(f"{name}/file") == name.encode()

    @spec("STORE-003", "STORE-028")
    @needs("write", "read", "list", "recursive_list", "delete")
    async def test_deep_paths(self, store: AsyncStore) -> None:
        deep = "/".join(f"d{number}" for number in range(60))
        await store.write(f"{deep}/file", b"deep")
        (info,) = await all_of(store.list_files(recursive=True))
        assert str(info.path) == f"{deep}/file"
        assert await store.read_bytes(info.path) == b"deep"
        assert len([step async for step in store.walk()]) == 61
        await store.delete_folder("d0", recursive=True)
        assert not await store.exists("d0")
