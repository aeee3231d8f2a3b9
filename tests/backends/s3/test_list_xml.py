"""Pages of listings: read the fast way and by the full parser, with one result."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest

from remote_store.backends.s3 import _list_xml

LETTERS = "abcXYZ019-_.~ !$&'()*+,;=:@%/?#[]\"<>\\^`{|}\tñ日😀"
NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
QUOTES = {'"': "&quot;"}
TIME = datetime(2026, 11, 24, 1, 2, 3, 456000, tzinfo=UTC)


def page(
    keys: list[str],
    prefixes: list[str],
    *,
    quoted: bool = True,
    pretty: bool = False,
    token: str = "",
    end_first: bool = False,
) -> bytes:
    """Write a page as a server would."""

    def said(text: str) -> str:
        return escape(quote(text, safe="/-_.~") if quoted else text)

    entries = "".join(
        f"<Contents><Key>{said(key)}</Key><LastModified>2026-11-24T01:02:03.456Z</LastModified>"
        f"<ETag>&quot;e{number}&quot;</ETag><Size>{number}</Size>"
        "<Owner><ID>someone</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
        for number, key in enumerate(keys)
    )
    folders = "".join(
        f"<CommonPrefixes><Prefix>{said(prefix)}</Prefix></CommonPrefixes>" for prefix in prefixes
    )
    end = f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
    end += f"<NextContinuationToken>{escape(token, QUOTES)}</NextContinuationToken>" if token else ""
    head = "<Name>bucket</Name><Prefix></Prefix>" + ("<EncodingType>url</EncodingType>" if quoted else "")
    body = head + (end + entries + folders if end_first else entries + folders + end)
    text = f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult{NAMESPACE}>{body}</ListBucketResult>'
    return (text.replace("><", ">\n  <") if pretty else text).encode()


def expected(keys: list[str], prefixes: list[str], token: str) -> dict[str, Any]:
    found: dict[str, Any] = {"IsTruncated": bool(token)}
    if keys:
        found["Contents"] = [
            {
                "Key": key,
                "Size": number,
                "LastModified": TIME,
                "ETag": f'"e{number}"',
                "StorageClass": "STANDARD",
            }
            for number, key in enumerate(keys)
        ]
    if prefixes:
        found["CommonPrefixes"] = [{"Prefix": prefix} for prefix in prefixes]
    if token:
        found["NextContinuationToken"] = token
    return found


@pytest.mark.spec("S3-029")
def test_both_ways_give_what_was_written() -> None:
    chance = random.Random(7)

    def names(most: int) -> list[str]:
        return [
            "".join(chance.choices(LETTERS, k=chance.randint(1, 20))) for _ in range(chance.randint(0, most))
        ]

    fast = 0
    for _ in range(500):
        keys, prefixes = names(6), names(3)
        token = chance.choice(["", "opaque+/=token", "<token>", 'a"token'])
        form = {name: chance.random() < 0.5 for name in ("quoted", "pretty", "end_first")}
        body = page(keys, prefixes, token=token, **form)
        wanted = expected(keys, prefixes, token)
        assert _list_xml.parse(body) == wanted
        assert _list_xml._full(body) == wanted
        quick = _list_xml._fast(body.decode())
        assert quick in (None, wanted)
        fast += quick is not None
    assert fast > 150


@pytest.mark.spec("S3-029")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<html><body>busy</body></html>",
        page(["a"], [])[:-30],
        page(["a"], []).replace(b"<Size>0</Size>", b"<Size>many</Size>"),
        page(["a"], []).replace(b"<Size>0</Size>", b""),
        page(["a"], []).replace(b"2026-11-24T", b"yesterday"),
        page(["a"], []).replace(b"<IsTruncated>false", b"<IsTruncated>true"),
        page(["a"], []).replace(b"<IsTruncated>false</IsTruncated>", b""),
        b"\xff\xfe",
    ],
)
def test_what_makes_no_sense_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        _list_xml.parse(body)


@pytest.mark.spec("S3-029")
def test_the_unusual_goes_to_the_full_parser() -> None:
    plain = page(["a&b"], ["c/"], quoted=False)
    for odd in (
        plain,
        plain.replace(b"<Key>", b"<!-- a comment --><Key>"),
        plain.replace(b"a&amp;b", b"<![CDATA[a&b]]>"),
        plain.replace(b"a&amp;b", b"a&#38;b"),
        plain.replace(b"<Contents>", b'<Contents odd="yes">'),
    ):
        assert _list_xml._fast(odd.decode()) is None
        assert _list_xml.parse(odd) == expected(["a&b"], ["c/"], "")


ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>{time}</LastModified><ETag>&quot;e&quot;</ETag>{more}"
    "<Size>{size}</Size><StorageClass>{kind}</StorageClass></Contents>"
)
USUAL = {"key": "k", "time": "2026-11-24T01:02:03.456Z", "more": "", "size": "1", "kind": "STANDARD"}


def listing_of(entries: str) -> bytes:
    return (
        f"<ListBucketResult{NAMESPACE}><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()
    )


CHECKSUM = "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"


@pytest.mark.spec("S3-029")
@pytest.mark.parametrize(
    "others",
    [
        {},
        {"more": CHECKSUM},
        {"more": "<Owner><ID>someone</ID></Owner>"},
        {"more": "<Size>7</Size>"},
        {"more": "<Key>another</Key>"},
        {"kind": ""},
        {"time": ""},
        {"key": "say &quot;so&quot;"},
        {"key": ""},
        {"more": " "},
    ],
    ids=str,
)
@pytest.mark.parametrize("first", [True, False])
def test_entries_need_not_be_alike(others: dict[str, str], first: bool) -> None:
    usual = [ENTRY.format_map({**USUAL, "more": CHECKSUM, "key": f"k{number}"}) for number in range(3)]
    odd = ENTRY.format_map({**USUAL, **others})
    entries = "".join([odd, *usual] if first else [*usual, odd])
    body = (
        f"<ListBucketResult{NAMESPACE}><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()
    )
    assert _list_xml.parse(body) == _list_xml._full(body)


@pytest.mark.spec("S3-029")
def test_folders_between_files_are_not_lost() -> None:
    folder = "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>"
    entries = ENTRY.format_map(USUAL) + folder + ENTRY.format_map({**USUAL, "key": "z"})
    body = (
        f"<ListBucketResult{NAMESPACE}><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()
    )
    assert _list_xml.parse(body) == _list_xml._full(body)
    assert _list_xml.parse(body)["CommonPrefixes"] == [{"Prefix": "d/"}]


@pytest.mark.spec("S3-029")
@pytest.mark.parametrize("size", ["+1", "1_0", "٣", "-1", ""])
def test_a_size_is_digits_only_where_it_is_read_fast(size: str) -> None:
    body = listing_of(ENTRY.format_map({**USUAL, "size": size})).decode()
    assert _list_xml._rows(body, body.split("<Contents>")[1:], quoted=False) is None
