"""Glob patterns, held against a matcher so plain that it cannot be wrong."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from remote_store import InvalidPath
from remote_store._async._walk import compile_pattern

ALPHABET = "ab-!^]["


def naive(pattern: str, path: str) -> bool:
    """Match component by component, character by character."""
    return _components(pattern.split("/"), path.split("/"))


def _components(patterns: list[str], parts: list[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        if len(patterns) == 1:
            return bool(parts)  # a file is below the folder, at whatever depth
        return any(_components(patterns[1:], parts[skipped:]) for skipped in range(len(parts) + 1))
    return bool(parts) and _characters(patterns[0], parts[0]) and _components(patterns[1:], parts[1:])


def _characters(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_characters(pattern[1:], text[taken:]) for taken in range(len(text) + 1))
    members, rest = _set(pattern)
    if members is not None:
        return bool(text) and members(text[0]) and _characters(rest, text[1:])
    return bool(text) and pattern[0] in ("?", text[0]) and _characters(pattern[1:], text[1:])


def _set(pattern: str):  # type: ignore[no-untyped-def]  # a predicate or None, and the rest of the pattern
    if pattern[0] != "[":
        return None, ""
    negated = pattern[1:2] == "!"
    begin = 2 if negated else 1
    end = pattern.find("]", begin + 1)  # the first place may hold a "]" itself
    if end < 0:
        return None, ""
    body = pattern[begin:end]

    def holds(char: str) -> bool:
        found, position = False, 0
        while position < len(body):
            if body[position + 1 : position + 2] == "-" and position + 2 < len(body):
                found = found or body[position] <= char <= body[position + 2]
                position += 3
            else:
                found = found or char == body[position]
                position += 1
        return found != negated and char != "/"

    return holds, pattern[end + 1 :]


def matches(pattern: str, path: str) -> bool:
    return compile_pattern(pattern)(path) is not None


components = st.text(ALPHABET + ".+,&\n", min_size=1, max_size=4)
paths = st.lists(components, min_size=1, max_size=4).map("/".join)
sets = st.text(ALPHABET + "+&|~", min_size=1, max_size=5).map("[{}]".format)
pieces = st.one_of(
    st.sampled_from(["*", "?", "a", "b", "-", ".", "!", "[", "]", "[ab]", "[!ab]", "[a-b]"]), sets
)
patterns = st.lists(
    st.one_of(st.just("**"), st.lists(pieces, min_size=1, max_size=4).map("".join)), min_size=1, max_size=4
).map("/".join)


@pytest.mark.spec("STORE-043", "STORE-044", "STORE-045")
@settings(max_examples=400)
@given(patterns, paths)
@example("**", "a")
@example("a/**", "a/b/c")
@example("**/a", "a")
@example("a/**/b", "a/b")
@example("**/**", "a")
@example("a**b", "a/b")
@example("[!]a]", "b")
@example("[a", "[a")
def test_patterns_match_as_the_naive_matcher_does(pattern: str, path: str) -> None:
    try:
        found = matches(pattern, path)
    except InvalidPath:
        assume(False)
    assert found == naive(pattern, path)


@pytest.mark.spec("STORE-043", "STORE-044", "STORE-045")
@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a.txt", ["a.txt"], ["A.txt", "axtxt", "a.txt\n", "b/a.txt", "a.txt/b", "a.tx"]),
        ("*", ["a", ".hidden", "a b", "\n", "x\ny"], ["a/b"]),
        ("*.txt", ["a.txt", ".txt", "a\nb.txt"], ["a.txt\n", "a/b.txt", "a.TXT"]),
        ("a*b*c", ["abc", "axbyc", "abbcc"], ["ac", "a/bc", "abcd"]),
        ("?", ["a", "\n", "😀", "?"], ["", "ab", "/"]),
        ("a?c", ["abc", "a?c"], ["a/c", "ac"]),
        ("[abc]", ["a", "c"], ["d", "ab", "A", ""]),
        ("[a-c]x", ["ax", "bx", "cx"], ["dx", "-x"]),
        ("[!a-c]", ["d", "-", "!", "\n"], ["a", "b", "/"]),
        ("[]]", ["]"], ["["]),
        ("[!]]", ["a", "["], ["]"]),
        ("[a-]", ["a", "-"], ["b"]),
        ("[-a]", ["a", "-"], ["b"]),
        ("[+--]", ["+", ",", "-"], ["*", "."]),
        ("[!+--]", ["*", "."], ["+", ",", "-"]),
        ("[a-c-e]", ["a", "b", "c", "-", "e"], ["d"]),
        ("[!-a]", ["b", "[", "0"], ["-", "a"]),
        ("[!a-]", ["b", "."], ["-", "a"]),
        ("[--]", ["-"], ["a"]),
        ("[^a]", ["^", "a"], ["b"]),
        ("[[]", ["["], ["]", "[["]),
        ("[&&~~||]", ["&", "~", "|"], ["a"]),
        ("[.-0]", [".", "0"], ["/"]),
        ("a[.-0]b", ["a.b", "a0b"], ["a/b"]),
        ("[", ["["], ["", "a"]),
        ("[!", ["[!"], ["a"]),
        ("a]b", ["a]b"], ["ab"]),
        ("**", ["a", "a/b", "a/b/c", "\n/\n"], []),
        ("**/a", ["a", "b/a", "b/c/a"], ["ab", "b/ba", "a/b"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab", "b/a/c"]),
        ("a/**/b", ["a/b", "a/c/b", "a/c/d/b"], ["ab", "a/cb", "a/bc", "x/a/b"]),
        ("**/a/**", ["a/b", "x/a/b", "a/a"], ["a", "b/a"]),
        ("**/*.py", ["a.py", "b/a.py", "b/c/.py"], ["a.pyc", "a.py/b"]),
        ("a**b", ["ab", "axxb", "a**b"], ["a/b"]),
        ("**b", ["b", "ab"], ["a/b"]),
        ("(a|b)", ["(a|b)"], ["a", "b"]),
        ("a+.{2}$^\\d", ["a+.{2}$^\\d"], ["aa.b"]),
        ("#* ?", ["# a", "#x b"], ["# "]),
    ],
)
def test_examples(pattern: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in yes if not matches(pattern, path)] == []
    assert [path for path in no if matches(pattern, path)] == []
    assert [path for path in yes if not naive(pattern, path)] == [], "the naive matcher agrees"
    assert [path for path in no if naive(pattern, path)] == [], "the naive matcher agrees"


@pytest.mark.spec("STORE-043")
@pytest.mark.parametrize("pattern", ["[b-a]", "[a--]", "a/[z-a]/b", "[!b-a]"])
def test_a_set_that_makes_no_sense(pattern: str) -> None:
    with pytest.raises(InvalidPath, match="bad set of characters") as caught:
        compile_pattern(pattern)
    assert caught.value.path == pattern


@pytest.mark.spec("STORE-043")
@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=12))
def test_any_text_compiles_or_is_refused_without_a_warning(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            compile_pattern(pattern)
        except InvalidPath:
            assert "[" in pattern


@pytest.mark.spec("STORE-043")
@given(st.text(st.characters(blacklist_characters="*?[/\0\\", blacklist_categories=["Cs"]), min_size=1))
def test_text_without_magic_matches_itself_alone(text: str) -> None:
    assert matches(text, text)
    assert not matches(text, text + "x")
    assert not matches(text, "x" + text)
    assert not matches(text, text + "\n")
