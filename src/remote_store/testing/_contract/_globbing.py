"""Glob: patterns of whole paths."""

from __future__ import annotations

from typing import Any

import pytest

from ..._async import AsyncStore
from ...errors import InvalidPath
from .._spec import needs, spec
from ._base import ContractBase, all_of, fill, paths_of

FILES = (
    "a.txt", "b.TXT", "c.csv", ".hidden.txt", "a/a.txt", "a/b.txt", "a/b/c.txt", "a/b/c/d.txt", "ab/a.txt",
    "x+y/(1).txt", "x+y/2^.txt", "[z]/q.txt", "sp ace/a.txt", "a.txt.bak", "-/a.txt",
)  # fmt: skip

PATTERNS: dict[str, list[str]] = {
    "*.txt": [".hidden.txt", "a.txt"],
    "*": [".hidden.txt", "a.txt", "a.txt.bak", "b.TXT", "c.csv"],
    "?.txt": ["a.txt"],
    "?.*": ["a.txt", "a.txt.bak", "b.TXT", "c.csv"],
    "a.txt": ["a.txt"],
    "a": [],
    "a/*": ["a/a.txt", "a/b.txt"],
    "a/*.txt": ["a/a.txt", "a/b.txt"],
    "a//./*.txt": ["a/a.txt", "a/b.txt"],
    "*/a.txt": ["-/a.txt", "a/a.txt", "ab/a.txt", "sp ace/a.txt"],
    "a?/a.txt": ["ab/a.txt"],
    "*/*/*.txt": ["a/b/c.txt"],
    "a*b/c.txt": [],
    "a?b/c.txt": [],
    "**/c.txt": ["a/b/c.txt"],
    "**/a.txt": ["-/a.txt", "a.txt", "a/a.txt", "ab/a.txt", "sp ace/a.txt"],
    "a/**/c.txt": ["a/b/c.txt"],
    "a/**/b/c.txt": ["a/b/c.txt"],
    "a/b/**/c.txt": ["a/b/c.txt"],
    "a/**/*.txt": ["a/a.txt", "a/b.txt", "a/b/c.txt", "a/b/c/d.txt"],
    "a/**": ["a/a.txt", "a/b.txt", "a/b/c.txt", "a/b/c/d.txt"],
    "**/b/**": ["a/b/c.txt", "a/b/c/d.txt"],
    "**/**/d.txt": ["a/b/c/d.txt"],
    "**": sorted(FILES),
    "[ab].txt": ["a.txt"],
    "[!a].*": ["b.TXT", "c.csv"],
    "[a-c].*": ["a.txt", "a.txt.bak", "b.TXT", "c.csv"],
    "[!a-b].*": ["c.csv"],
    "[b-]/a.txt": ["-/a.txt"],
    "a[.]txt": ["a.txt"],
    "a[!x]a.txt": [],
    "[[]z[]]/*": ["[z]/q.txt"],
    "[z/q.txt": [],
    "x+y/(1).txt": ["x+y/(1).txt"],
    "x+y/2[^].txt": ["x+y/2^.txt"],
    "sp ace/?.txt": ["sp ace/a.txt"],
    "b.txt": [],
    "*.TXT": ["b.TXT"],
    "A/*": [],
    "a.txt/*": [],
    "a.txt/**": [],
    "a.txt/*/x": [],
    "missing/*": [],
    "missing/**/x": [],
}


class Globbing(ContractBase):
    """``glob`` on a tree of files."""

    @spec("STORE-043", "STORE-044", "STORE-045")
    @needs("write", "glob")
    async def test_patterns(self, store: AsyncStore) -> None:
        await fill(store, *FILES)
        for pattern, expected in PATTERNS.items():
            assert await paths_of(store.glob(pattern)) == expected, pattern

    @spec("STORE-043", "STORE-002")
    @needs("write", "glob")
    async def test_patterns_below_a_root(self, store: AsyncStore, inner: AsyncStore) -> None:
        await fill(inner, *FILES)
        await fill(store, "outer/a.txt", "a.txt", "outer/in ner2/a.txt")
        for pattern, expected in PATTERNS.items():
            assert await paths_of(inner.glob(pattern)) == expected, pattern

    @spec("STORE-045")
    @needs("write", "glob")
    async def test_a_trailing_newline_is_part_of_the_name(self, store: AsyncStore) -> None:
        await fill(store, "a.txt\n", "b.txt", "c\nd.txt")
        assert await paths_of(store.glob("*.txt")) == ["b.txt", "c\nd.txt"]
        assert await paths_of(store.glob("**/*.txt")) == ["b.txt", "c\nd.txt"]
        assert await paths_of(store.glob("a.txt?")) == ["a.txt\n"]
        assert await paths_of(store.glob("c?d.txt")) == ["c\nd.txt"]
        assert await paths_of(store.glob("**")) == ["a.txt\n", "b.txt", "c\nd.txt"]

    @spec("STORE-043", "STORE-003")
    @needs("write", "glob")
    async def test_the_root_of_a_store_is_no_pattern(self, store: AsyncStore) -> None:
        await fill(store, "a[b]*/file", "ab/file", "ax/file")
        odd = store.child("a[b]*")
        assert await paths_of(odd.glob("*")) == ["file"]
        assert await paths_of(odd.glob("**/file")) == ["file"]

    @spec("STORE-037", "STORE-011")
    @needs("glob")
    async def test_what_is_no_pattern(self, store: AsyncStore) -> None:
        for pattern in ("", ".", "/", "../*", "a/../*", "a\\*", "a\0*"):
            with pytest.raises(InvalidPath):
                store.glob(pattern)
        wrong: Any = 5
        with pytest.raises(TypeError):
            store.glob(wrong)

    @spec("STORE-037", "STORE-043")
    @needs("glob")
    async def test_a_set_that_is_no_set(self, store: AsyncStore) -> None:
        for pattern in ("[z-a]", "a/[z-a]/*", "**/[z-a]"):
            with pytest.raises(InvalidPath) as caught:
                store.glob(pattern)
            assert caught.value.path == pattern

    @spec("STORE-042", "STORE-043")
    @needs("write", "glob")
    async def test_the_items_of_a_glob_are_files(self, store: AsyncStore) -> None:
        await store.write("a/b.txt", b"12345")
        async with store.glob("**/*.txt") as listing:
            (info,) = await all_of(listing)
        assert (str(info.path), info.name, info.size) == ("a/b.txt", "b.txt", 5)
