"""The documentation names nothing of this library that does not exist."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import remote_store
from remote_store import AsyncRegistry, AsyncStore, Registry, Store
from remote_store.typing import AsyncReadStream, AsyncWriteStream, ReadStream, WriteStream

from .support import EXAMPLES, PAGES, page_id, python_blocks

BOTH_STORES = (Store, AsyncStore)
BY_NAME: dict[str, tuple[type, ...]] = {
    "store": BOTH_STORES,
    "source": BOTH_STORES,
    "target": BOTH_STORES,
    "registry": (Registry, AsyncRegistry),
}
MAKERS: dict[str, tuple[type, ...]] = {
    "Store": (Store,),
    "AsyncStore": (AsyncStore,),
    "Registry": (Registry,),
    "AsyncRegistry": (AsyncRegistry,),
    "open_store": (Store,),
    "open_async_store": (AsyncStore,),
    "child": BOTH_STORES,
    "get_store": BOTH_STORES,
    "open_write": (WriteStream, AsyncWriteStream),
    "read": (AsyncReadStream, ReadStream),
    "open_read": (AsyncReadStream, ReadStream),
}
STREAMS = (AsyncReadStream, ReadStream, AsyncWriteStream, WriteStream)
PROSE_CLASS = re.compile(r"`([A-Z]\w+)\.(\w+)")
PROSE_OBJECT = re.compile(r"`(store|registry)\.(\w+)\(")
REFERENCE = re.compile(r"^::: (\S+)$", re.MULTILINE)


def maker_of(value: ast.expr | None) -> str:
    """Return what was called to make a value: ``Store`` for ``Store(x)``, ``read`` for ``a.read(x)``."""
    value = value.value if isinstance(value, ast.Await) else value
    call = value.func if isinstance(value, ast.Call) else None
    return call.id if isinstance(call, ast.Name) else call.attr if isinstance(call, ast.Attribute) else ""


def bindings(tree: ast.AST) -> Iterator[tuple[str, tuple[type, ...]]]:
    """Give the names that hold an object of this library, and of which class it may be."""
    for node in ast.walk(tree):
        if isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
            yield node.optional_vars.id, MAKERS.get(maker_of(node.context_expr), ())
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, MAKERS.get(maker_of(node.value), ())
        elif isinstance(node, ast.arg) and isinstance(node.annotation, ast.Name):
            yield node.arg, MAKERS.get(node.annotation.id, ())


def known_names(tree: ast.AST) -> dict[str, set[type]]:
    found: dict[str, set[type]] = {name: set(classes) for name, classes in BY_NAME.items()}
    for name, classes in bindings(tree):
        found.setdefault(name, set()).update(classes)
    return {name: classes for name, classes in found.items() if classes and not _is_also_a_file(name, tree)}


def _is_also_a_file(name: str, tree: ast.AST) -> bool:
    """Return True if the name holds a stream: the blocking ones are files, with all that a file has."""
    return any(bound == name and set(classes) & set(STREAMS) for bound, classes in bindings(tree))


def importable(module: str, name: str) -> bool:
    if hasattr(importlib.import_module(module), name):
        return True
    return importlib.util.find_spec(f"{module}.{name}") is not None


def mistakes(tree: ast.AST) -> Iterator[str]:
    names = known_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("remote_store"):
            yield from (
                f"from {node.module} import {a.name}"
                for a in node.names
                if not importable(str(node.module), a.name)
            )
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            if not any(hasattr(cls, node.attr) for cls in names[node.value.id]):
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from wrong_keywords(node, names)


def wrong_keywords(node: ast.Call, names: dict[str, set[type]]) -> Iterator[str]:
    assert isinstance(node.func, ast.Attribute)
    classes = names.get(node.func.value.id, set()) if isinstance(node.func.value, ast.Name) else set()
    methods: list[Any] = [m for cls in classes if (m := getattr(cls, node.func.attr, None)) is not None]
    for keyword in node.keywords:
        if (
            methods
            and keyword.arg
            and not any(keyword.arg in inspect.signature(m).parameters for m in methods)
        ):
            yield f"{node.func.attr}({keyword.arg}=)"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_code_in_a_page(page: Path) -> None:
    source = "\n".join(block.code for block in python_blocks(page.read_text()))
    tree = compile(source, str(page), "exec", flags=ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert list(mistakes(tree)) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=page_id)
def test_code_in_an_example(example: Path) -> None:
    assert list(mistakes(ast.parse(example.read_text()))) == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_prose_of_a_page(page: Path) -> None:
    text = page.read_text()
    for name, member in PROSE_CLASS.findall(text):
        if hasattr(remote_store, name):
            assert hasattr(getattr(remote_store, name), member), f"{name}.{member}"
    for name, member in PROSE_OBJECT.findall(text):
        assert any(hasattr(cls, member) for cls in BY_NAME[name]), f"{name}.{member}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_names_of_the_reference(page: Path) -> None:
    for name in REFERENCE.findall(page.read_text()):
        module, _, member = name.rpartition(".")
        assert hasattr(importlib.import_module(module), member), name


def test_the_reference_has_every_public_name() -> None:
    named = {name for page in PAGES for name in REFERENCE.findall(page.read_text())}
    public = {f"remote_store.{name}" for name in remote_store.__all__ if not name.startswith("__")}
    assert public - named == set()


@pytest.mark.parametrize(
    ("code", "mistake"),
    [
        ("store.download('a')", "store.download"),
        ("with Store(b) as s:\n    s.fetch()", "s.fetch"),
        ("async def f(a: AsyncStore): await a.close()", "a.close"),
        ("store.write('a', b'', force=True)", "write(force=)"),
        ("from remote_store import Bucket", "from remote_store import Bucket"),
        ("r = Registry()\nr.stores()", "r.stores"),
    ],
)
def test_a_wrong_name_is_found(code: str, mistake: str) -> None:
    assert list(mistakes(ast.parse(code))) == [mistake]
