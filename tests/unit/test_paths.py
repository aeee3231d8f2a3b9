"""``normalize`` and ``RemotePath``: text in, normal form or InvalidPath out."""

from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote_store import InvalidPath, RemotePath
from remote_store.paths import normalize

ROOT_SPELLINGS = ["", ".", "/", "./", "//", "/.", "././", "/./."]


class Text(str):
    """A str that is not exactly a str."""

    __slots__ = ()


def components() -> st.SearchStrategy[str]:
    allowed = st.characters(blacklist_characters="/\\\0", blacklist_categories=["Cs"])
    return st.text(allowed, min_size=1, max_size=8).filter(lambda text: text not in (".", ".."))


def stored_names() -> st.SearchStrategy[RemotePath]:
    """Any path a backend may report, those that nobody can write as text included."""
    text = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
    return text.map(RemotePath._of)


# -- text ------------------------------------------------------------------------


@pytest.mark.spec("PATH-001")
@pytest.mark.parametrize("given", ["a/b.txt", Text("a/b.txt"), RemotePath("a/b.txt")])
def test_a_path_is_a_str_or_a_remote_path(given: str | RemotePath) -> None:
    assert normalize(given) == "a/b.txt"
    assert RemotePath(given) == RemotePath("a/b.txt")


@pytest.mark.spec("PATH-001")
@pytest.mark.parametrize(
    "given", [None, 1, 1.5, b"a", bytearray(b"a"), ["a"], ("a", "b"), object(), RemotePath]
)
@pytest.mark.parametrize("take", [normalize, RemotePath])
def test_anything_else_is_a_type_error(take: Any, given: object) -> None:
    with pytest.raises(TypeError, match=f"a path must be str or RemotePath, not {type(given).__name__}$"):
        take(given)


@pytest.mark.spec("PATH-001")
@pytest.mark.parametrize("given", [Path("a"), PurePosixPath("a/b")])
@pytest.mark.parametrize("take", [normalize, RemotePath])
def test_for_a_pathlib_path_the_message_says_what_to_pass(take: Any, given: object) -> None:
    with pytest.raises(TypeError, match=rf"not {type(given).__name__}; pass path\.as_posix\(\)$"):
        take(given)


@pytest.mark.spec("PATH-002")
@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("/a/b", "a/b"),
        ("a/b/", "a/b"),
        ("//a///b//", "a/b"),
        ("./a/./b/.", "a/b"),
        ("a", "a"),
        ("...", "..."),
        ("..a/b..", "..a/b.."),
        (". /a", ". /a"),
        *((text, "") for text in ROOT_SPELLINGS),
    ],
)
def test_empty_and_dot_components_are_dropped(given: str, normal: str) -> None:
    assert normalize(given) == normal


@pytest.mark.spec("PATH-002")
@given(st.lists(components(), max_size=4), st.data())
def test_slashes_and_dots_make_no_difference(parts: list[str], data: st.DataObject) -> None:
    noise = st.sampled_from(["/", "//", "/./", "/.//./"])
    text = "".join(data.draw(noise) + part for part in parts) + data.draw(noise)
    assert normalize(text) == "/".join(parts)
    assert normalize(normalize(text)) == normalize(text)


@pytest.mark.spec("PATH-003", "PATH-005")
@pytest.mark.parametrize(
    "given", ["..", "../a", "a/..", "a/../b", "/..", "./..", "a//..", "../", "a\0", "\0", "a/\0/b", "../\0"]
)
@pytest.mark.parametrize("take", [normalize, RemotePath])
def test_dot_dot_and_nul_are_refused(take: Any, given: str) -> None:
    with pytest.raises(InvalidPath, match=r"NUL" if "\0" in given else r"'\.\.'") as caught:
        take(given)
    assert caught.value.path == given


@pytest.mark.spec("PATH-004", "PATH-005")
@pytest.mark.parametrize("given", ["a\\b", "\\", "\\a", "a\\", "..\\a", "a/b\\c", "//a\\b/./"])
@pytest.mark.parametrize("take", [normalize, RemotePath])
def test_a_backslash_is_refused_and_never_separates(take: Any, given: str) -> None:
    with pytest.raises(InvalidPath, match="separate components with '/'") as caught:
        take(given)
    assert caught.value.path == given


@pytest.mark.spec("PATH-006")
@pytest.mark.parametrize(
    "given",
    [
        *[
            "~",
            "~user/a",
            " ",
            " a ",
            "a b",
            "\n",
            "a\n",
            "\t",
            "\x01\x7f",
            "é",
            "é",
            "日本/語",
            "😀",
            "\ud800",
        ],
        *["*", "?", "[a]", "$HOME", "%2e%2e", "a:b", "C:", "CON", "-rf", "x" * 100_000, "a/" * 5_000 + "b"],
    ],
)
def test_nothing_else_is_special(given: str) -> None:
    assert normalize(given) == given
    assert str(RemotePath(given)) == given


# -- RemotePath ------------------------------------------------------------------


@pytest.mark.spec("PATH-007")
@pytest.mark.parametrize("given", [*ROOT_SPELLINGS, RemotePath.ROOT])
def test_a_remote_path_names_something(given: str | RemotePath) -> None:
    with pytest.raises(InvalidPath, match=r"the root is RemotePath\.ROOT") as caught:
        RemotePath(given)
    assert caught.value.path == str(given)


@pytest.mark.spec("PATH-007", "PATH-008")
def test_the_root_is_an_object() -> None:
    root = RemotePath.ROOT
    assert (root.name, root.parts, root.parent, root.suffix, str(root)) == ("", (), None, "", "")
    assert root / "a" == RemotePath("a")
    assert root / RemotePath("a/b") == RemotePath("a/b")
    assert root != RemotePath("a")


@pytest.mark.spec("PATH-009")
def test_name_parts_and_parent() -> None:
    path = RemotePath("/a//b/./c.txt")
    assert (path.name, path.parts, path.parent) == ("c.txt", ("a", "b", "c.txt"), RemotePath("a/b"))
    assert path.parent is not None
    assert path.parent.parent == RemotePath("a")
    assert RemotePath("a").parent is None


@pytest.mark.spec("PATH-009")
@given(st.lists(components(), min_size=1, max_size=5))
def test_a_path_is_its_parent_and_its_name(parts: list[str]) -> None:
    path = RemotePath("/".join(parts))
    assert path.parts == tuple(parts)
    assert path.name == parts[-1]
    assert path == (path.parent / path.name if path.parent else RemotePath(path.name))


@pytest.mark.spec("PATH-010")
@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("a.txt", ".txt"),
        ("a.tar.gz", ".gz"),
        ("dir.d/a", ""),
        ("dir.d/a.b", ".b"),
        ("a", ""),
        (".bashrc", ""),
        (".bashrc.bak", ".bak"),
        ("a.", ""),
        ("...", ""),
    ],
)
def test_suffix(path: str, suffix: str) -> None:
    assert RemotePath(path).suffix == suffix


@pytest.mark.spec("PATH-011")
@pytest.mark.parametrize("other", ["b/c", "/b//c/", "./b/./c", RemotePath("b/c")])
def test_joining(other: str | RemotePath) -> None:
    path = RemotePath("a")
    assert path / other == RemotePath("a/b/c")
    assert path == RemotePath("a")


@pytest.mark.spec("PATH-011")
@pytest.mark.parametrize("other", ["..", "../b", "b/..", "b\\c", "b\0"])
def test_joining_refuses_what_the_constructor_refuses(other: str) -> None:
    with pytest.raises(InvalidPath) as caught:
        RemotePath("a") / other
    assert caught.value.path == other


@pytest.mark.spec("PATH-011", "PATH-001")
@pytest.mark.parametrize("other", [1, None, b"b", Path("b")])
def test_joining_takes_no_other_type(other: Any) -> None:
    with pytest.raises(TypeError):
        RemotePath("a") / other


@pytest.mark.spec("PATH-012")
@given(st.lists(components(), min_size=1, max_size=4))
def test_str_is_the_normal_form_and_repr_an_expression(parts: list[str]) -> None:
    path = RemotePath("//" + "/./".join(parts) + "/")
    assert str(path) == "/".join(parts)
    assert eval(repr(path)) == path


@pytest.mark.spec("PATH-012")
def test_repr() -> None:
    assert repr(RemotePath("a//b's")) == """RemotePath("a/b's")"""
    assert repr(RemotePath.ROOT) == "RemotePath.ROOT"
    assert eval(repr(RemotePath.ROOT)) is RemotePath.ROOT


@pytest.mark.spec("PATH-013")
def test_equality_is_that_of_the_normal_form() -> None:
    one, same, other = RemotePath("a//b"), RemotePath("/a/./b/"), RemotePath("a/B")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert len({one, same, other}) == 2
    # One character or two: equal to the eye, and two names all the same.
    assert RemotePath("\u00e9") != RemotePath("e\u0301")


@pytest.mark.spec("PATH-013")
def test_a_path_never_equals_a_str() -> None:
    path: object = RemotePath("a")
    assert path != "a"
    assert not path == "a"  # noqa: SIM201 - the other operator
    assert path not in {"a": 1, "b": 2}


@pytest.mark.spec("PATH-014")
@pytest.mark.parametrize("attribute", ["_key", "name", "parts", "new"])
def test_a_path_is_immutable(attribute: str) -> None:
    path = RemotePath("a/b")
    with pytest.raises(AttributeError):
        setattr(path, attribute, "x")
    with pytest.raises(AttributeError):
        delattr(path, attribute)
    assert path == RemotePath("a/b")


@pytest.mark.spec("PATH-014")
def test_a_path_does_not_pass_for_a_local_one() -> None:
    path: Any = RemotePath("etc/passwd")
    assert not isinstance(path, os.PathLike)
    with pytest.raises(TypeError):
        os.fspath(path)


@pytest.mark.spec("PATH-015")
@given(stored_names())
def test_paths_survive_pickling_and_copying(path: RemotePath) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(path, protocol)) == path
    assert copy.copy(path) == path
    assert copy.deepcopy(path) == path


@pytest.mark.spec("PATH-015")
@pytest.mark.parametrize("path", [RemotePath.ROOT, RemotePath._of("a\\b"), RemotePath._of("a/\udcff")])
def test_so_do_the_root_and_names_that_are_no_text(path: RemotePath) -> None:
    again = pickle.loads(pickle.dumps(path))
    assert again == path
    assert str(again) == str(path)
