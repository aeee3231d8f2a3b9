"""The generator on small sources: what it makes of the shapes it knows, and that it stops at others."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from remote_store._tools import _rules as rules
from remote_store._tools import generate_sync
from remote_store._tools._emitting import UnknownShape
from remote_store._tools._rules import MARKER, Face

FACE = Face("_store.py", "AsyncStore", "Store")

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes one source and makes it the only one of a package of its own."""
    for folder in ("_async", "_sync"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(rules, "PACKAGE", tmp_path)
    monkeypatch.setattr(rules, "SOURCE", tmp_path / "_async")
    monkeypatch.setattr(rules, "TARGET", tmp_path / "_sync")

    def write(source: str, face: Face = FACE, renames: dict[str, str] | None = None, **parts: str) -> Path:
        for name, text in {
            face.name: source,
            **{f"_{name}.py": text for name, text in parts.items()},
        }.items():
            (tmp_path / "_async" / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        monkeypatch.setattr(rules, "FACES", (face,))
        names = renames if renames is not None else {"AsyncStore": "Store"}
        monkeypatch.setattr(rules, "RENAMES", names)
        return tmp_path / "_sync" / face.name

    return write


def made(target: Path) -> str:
    """Return the one generated text, without its header."""
    ((path, text),) = generate_sync.generate().items()
    assert path == target
    assert text.startswith(rules.HEADER.format(name=target.name))
    compile(text, str(path), "exec")
    return text.removeprefix(rules.HEADER.format(name=target.name))


SOURCE = '''
    """A store."""

    from __future__ import annotations

    import io
    import os
    from collections.abc import Iterable
    from typing import Self, TypeVar

    from ..backend import Backend
    from ._listing import Listing

    T = TypeVar("T")
    OTHER = 1


    class AsyncStore:
        """A store, in all its
        beauty.
        """

        def __init__(self, backend: Backend, root: str = "") -> None:
            self._secret = backend, os.sep

        @property
        def size(self) -> int:
            """Its size."""
            return 1

        def name(self, a: T, /, b: str = "x", *rest: int, c: bool = False, **options: T) -> T:
            """Its name."""
            return a

        async def load(self, path: str, *, deep: bool = True) -> bytes:
            r"""Load a \\path."""
            async with self._private():
                return b""

        async def quiet(self) -> None:
            """Return nothing."""

        def child(self) -> AsyncStore:
            """Another one."""
            return self

        async def fetch(self) -> AsyncStore:
            """Another one, with effort."""
            return self

        def items(self) -> Listing[T]:
            """Many of them."""

        def _private(self):
            return io

        async def aclose(self) -> None:
            """End."""

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *exc_info: object) -> None:
            await self.aclose()

        def __eq__(self, other: object) -> bool:
            return False

        def __hash__(self) -> int:
            return 1

        def __repr__(self) -> str:
            return "AsyncStore()"
'''

TARGET = '''\
"""The blocking twin of ``_async/_store.py``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self, TypeVar

from .._async import AsyncStore
from .._runtime import drive
from ..backend import Backend
from ._support import iterate

T = TypeVar("T")


class Store:
    """A store, in all its
    beauty.
    """

    def __init__(self, backend: Backend, root: str = "") -> None:
        self._inner = AsyncStore(backend, root)

    @classmethod
    def _wrap(cls, inner: AsyncStore) -> Self:
        face = cls.__new__(cls)
        face._inner = inner
        return face

    @property
    def size(self) -> int:
        """Its size."""
        return self._inner.size

    def name(
        self, a: T, /, b: str = "x", *rest: int, c: bool = False, **options: T
    ) -> T:
        """Its name."""
        return self._inner.name(a, b, *rest, c=c, **options)

    def load(self, path: str, *, deep: bool = True) -> bytes:
        r"""Load a \\path."""
        return drive(self._inner.load(path, deep=deep))

    def quiet(self) -> None:
        """Return nothing."""
        drive(self._inner.quiet())

    def child(self) -> Store:
        """Another one."""
        return Store._wrap(self._inner.child())

    def fetch(self) -> Store:
        """Another one, with effort."""
        return Store._wrap(drive(self._inner.fetch()))

    def items(self) -> Iterator[T]:
        """Many of them."""
        return iterate(self._inner.items())

    def close(self) -> None:
        """End."""
        drive(self._inner.aclose())

    def __enter__(self) -> Self:
        drive(self._inner.__aenter__())
        return self

    def __exit__(self, *exc_info: object) -> None:
        drive(self._inner.__aexit__(*exc_info))

    def __eq__(self, other: object) -> bool:
        return (
            self._inner == other._inner if isinstance(other, Store) else NotImplemented
        )

    def __hash__(self) -> int:
        return hash(self._inner)

    def __repr__(self) -> str:
        return repr(self._inner).replace("AsyncStore", "Store", 1)
'''


@pytest.mark.spec("GEN-001", "GEN-002")
def test_every_known_shape(write: Write) -> None:
    target = write(SOURCE, renames={"AsyncStore": "Store", "Listing": "Iterator"})
    assert made(target) == TARGET


@pytest.mark.spec("GEN-001")
def test_parts_come_first_and_their_imports_with_them(write: Write) -> None:
    target = write(
        '''
        from ._base import Base

        class AsyncStore(Base):
            """A store."""

            def late(self) -> int:
                """Late."""
        ''',
        Face("_store.py", "AsyncStore", "Store", parts=("_base.py",)),
        base='''
        from decimal import Decimal

        class Base:
            """Not carried over."""

            def __init__(self, x: Decimal) -> None:
                self.x = x

            def early(self) -> Decimal:
                """Early."""
        ''',
    )
    text = made(target)
    assert "from decimal import Decimal\n" in text
    assert "Base" not in text
    assert text.index("def __init__(self, x: Decimal)") < text.index("def early") < text.index("def late")


@pytest.mark.spec("GEN-001")
def test_a_raw_stream(write: Write) -> None:
    target = write(
        '''
        from typing import Self

        class AsyncReadStream:
            """A stream."""

            def __init__(self, secret: int) -> None:
                self.secret = secret

            @property
            def closed(self) -> bool:
                """Left to io."""
                return False

            async def read(self, n: int = -1) -> bytes:
                """Read."""
                return b""

            async def aclose(self) -> None:
                """End."""

            async def __aenter__(self) -> Self:
                return self

            async def __aexit__(self, *exc_info: object) -> None:
                await self.aclose()
        ''',
        Face("_read_stream.py", "AsyncReadStream", "ReadStream", raw=True, skip=frozenset({"closed"})),
        renames={"AsyncReadStream": "BinaryIO"},
    )
    text = made(target)
    assert "class ReadStream(io.RawIOBase):" in text
    assert "def __init__(self, inner: AsyncReadStream) -> None:" in text
    assert "secret" not in text
    assert "def closed" not in text
    for method in ("close", "__exit__"):
        assert "super().close()" in text.partition(f"def {method}(")[2].partition("def ")[0]


@pytest.mark.spec("GEN-001")
def test_a_function(write: Write) -> None:
    target = write(
        '''
        from ._store import AsyncStore

        def open_async_store(url: str, *, strict: bool = False) -> AsyncStore:
            """Open one."""
            return AsyncStore(url)
        ''',
        Face("_open.py", "open_async_store", "open_store"),
        renames={"AsyncStore": "Store", "open_async_store": "open_store"},
    )
    assert made(target).endswith(
        "def open_store(url: str, *, strict: bool = False) -> Store:\n"
        '    """Open one."""\n'
        "    return Store._wrap(open_async_store(url, strict=strict))\n"
    )


UNKNOWN: list[tuple[str, str, int, str]] = [
    ("class attribute", "x = 1", 4, "methods only"),
    ("annotated attribute", "x: int", 4, "methods only"),
    ("nested class", "class Inner: ...", 4, "methods only"),
    ("condition", "if True: ...", 4, "methods only"),
    (
        "classmethod",
        '@classmethod\ndef make(cls) -> int:\n    """Make."""',
        5,
        r"decorators \['classmethod'\]",
    ),
    (
        "staticmethod",
        '@staticmethod\ndef make() -> int:\n    """Make."""',
        5,
        r"decorators \['staticmethod'\]",
    ),
    ("overload", '@overload\ndef get(self) -> int:\n    """Get."""', 5, r"decorators \['overload'\]"),
    (
        "setter",
        '@x.setter\ndef x(self, value: int) -> None:\n    """Set."""',
        5,
        r"decorators \['x.setter'\]",
    ),
    ("dunder", "def __len__(self) -> int: ...", 4, "no rule for __len__"),
    ("async dunder", "async def __anext__(self) -> int: ...", 4, "no rule for __anext__"),
    ("no return annotation", 'def get(self):\n    """Get."""', 4, "a return annotation"),
    ("no self", 'def get() -> int:\n    """Get."""', 4, "needs self"),
    ("no docstring", "def get(self) -> int: ...", 4, "needs a docstring"),
    ("no docstring, async", "async def get(self) -> int: ...", 4, "needs a docstring"),
    ("async generator", 'async def get(self) -> int:\n    """Get."""\n    yield 1', 4, "generator"),
    ("generator", 'def get(self) -> int:\n    """Get."""\n    yield 1', 4, "generator"),
    (
        "store or None",
        'def get(self) -> AsyncStore | None:\n    """Get."""',
        4,
        "no rule for AsyncStore inside",
    ),
    (
        "list of stores",
        'async def get(self) -> list[AsyncStore]:\n    """Get."""',
        4,
        "no rule for AsyncStore",
    ),
    (
        "store as argument",
        'def put(self, other: AsyncStore) -> int:\n    """Put."""',
        4,
        "no rule for AsyncStore",
    ),
    ("quoted store", 'def get(self) -> \'AsyncStore\':\n    """Get."""', 4, "no rule for 'AsyncStore'"),
    (
        "async iterator",
        'def get(self) -> AsyncIterator[int]:\n    """Get."""',
        4,
        "no rule for AsyncIterator",
    ),
    ("awaitable", 'def get(self) -> Awaitable[int]:\n    """Get."""', 4, "no rule for Awaitable"),
]


@pytest.mark.spec("GEN-003")
@pytest.mark.parametrize(("member", "line", "text"), [pytest.param(*row[1:], id=row[0]) for row in UNKNOWN])
def test_an_unknown_shape_stops_it_with_file_and_line(
    write: Write, tmp_path: Path, member: str, line: int, text: str
) -> None:
    body = textwrap.indent(member, "    ")
    target = write(f'class AsyncStore:\n    """A store."""\n\n{body}\n')
    place = tmp_path / "_async" / "_store.py"
    with pytest.raises(UnknownShape, match=text) as caught:
        generate_sync.generate()
    assert str(caught.value).startswith(f"{place}:{line}: ")
    assert not target.exists()


@pytest.mark.spec("GEN-003")
def test_the_place_is_that_of_the_part(write: Write, tmp_path: Path) -> None:
    write(
        'from ._base import Base\n\nclass AsyncStore(Base):\n    """A store."""\n',
        Face("_store.py", "AsyncStore", "Store", parts=("_base.py",)),
        base='class Base:\n    """Base."""\n    x = 1\n',
    )
    with pytest.raises(UnknownShape) as caught:
        generate_sync.generate()
    assert str(caught.value).startswith(f"{tmp_path / '_async' / '_base.py'}:3: ")


@pytest.mark.spec("GEN-003")
@pytest.mark.parametrize("source", ["", "class Other:\n    pass\n", "AsyncStore = 1\n"])
def test_a_source_without_its_class(write: Write, tmp_path: Path, source: str) -> None:
    write(source)
    with pytest.raises(UnknownShape, match=r"_store\.py: there is no AsyncStore"):
        generate_sync.generate()


@pytest.mark.spec("GEN-003")
def test_a_class_without_a_docstring(write: Write) -> None:
    write("class AsyncStore:\n    def get(self) -> int: ...\n")
    with pytest.raises(UnknownShape, match=r"_store\.py:1: .*docstring"):
        generate_sync.generate()


@pytest.mark.spec("GEN-003")
def test_a_rename_that_is_never_used_stops_it(write: Write) -> None:
    names = {"AsyncStore": "Store", "AsyncThing": "Thing", "AsyncOther": "Other"}
    write('class AsyncStore:\n    """A store."""\n', renames=names)
    with pytest.raises(UnknownShape, match=r"never used, so remove them: \['AsyncOther', 'AsyncThing'\]"):
        generate_sync.generate()


def test_names_that_only_look_alike_are_left_alone(write: Write) -> None:
    target = write(
        '''
        class AsyncStore:
            """An AsyncStore, not an AsyncStoreThing."""

            def get(self, AsyncStores: int) -> dict[str, AsyncStoreThing]:
                """Get the AsyncStore."""
        '''
    )
    text = made(target)
    assert '"""An AsyncStore, not an AsyncStoreThing."""' in text
    assert "def get(self, AsyncStores: int) -> dict[str, AsyncStoreThing]:" in text
    assert "self._inner.get(AsyncStores)" in text


# -- the command ---------------------------------------------------------------------------

SMALL = 'class AsyncStore:\n    """A store."""\n\n    def get(self) -> int:\n        """Get."""\n'


@pytest.mark.spec("GEN-001")
def test_writing_and_checking(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    target = write(SMALL)
    assert generate_sync.main(["--check"]) == 1
    assert capsys.readouterr().err == "not up to date: _sync/_store.py\n"
    assert not target.exists(), "a check writes nothing"
    assert generate_sync.main([]) == 0
    assert capsys.readouterr().out == "1 of 1 files changed\n"
    assert generate_sync.main(["--check"]) == 0
    assert generate_sync.main([]) == 0
    assert capsys.readouterr().out == "0 of 1 files changed\n"
    assert ast.get_docstring(ast.parse(target.read_text())) == "The blocking twin of ``_async/_store.py``."


@pytest.mark.spec("GEN-001")
@pytest.mark.parametrize(
    "spoil", [lambda text: text + "\n", lambda text: text[:-40], lambda text: "", str.upper]
)
def test_any_difference_is_found(
    write: Write, spoil: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    target = write(SMALL)
    generate_sync.main([])
    good = target.read_text()
    target.write_text(spoil(good))
    assert generate_sync.stale(generate_sync.generate()) == [target]
    assert generate_sync.main(["--check"]) == 1
    generate_sync.main([])
    assert target.read_text() == good


@pytest.mark.spec("GEN-001")
def test_orphans_are_found_and_removed(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    target = write(SMALL)
    generate_sync.main([])
    orphan, by_hand = target.parent / "deep" / "_gone.py", target.parent / "_support.py"
    orphan.parent.mkdir()
    orphan.write_text(f"# {MARKER} from ../_async/_gone.py\n")
    by_hand.write_text("x = 1\n")
    assert generate_sync.stale(generate_sync.generate()) == [orphan]
    assert generate_sync.main(["--check"]) == 1
    assert "not up to date: _sync/deep/_gone.py" in capsys.readouterr().err
    assert orphan.exists()
    generate_sync.main([])
    assert not orphan.exists()
    assert by_hand.exists()
    assert generate_sync.main(["--check"]) == 0
