"""The answer to ListObjectsV2, read fast where it looks as servers write it, and else by a full parser.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

_PLAIN: Final = re.compile(r"<(Key|LastModified|ETag|Size|StorageClass)>([^<&]*)</\1>")
_LEAF: Final = re.compile(r"<(\w+)>[^<]*</\1>")
_FIELDS: Final = ("Key", "Size", "LastModified", "ETag", "StorageClass")
_PREFIX: Final = re.compile(r"<CommonPrefixes>\s*<Prefix>([^<&]*)</Prefix>\s*</CommonPrefixes>")
_BEGIN: Final = re.compile(r"\s*(<\?xml[^>]*\?>)?\s*<ListBucketResult[^>]*>")
_END: Final = "</ListBucketResult>"
_TRUNCATED: Final = re.compile(r"<IsTruncated>(?:true|false)</IsTruncated>")
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")


def parse(body: bytes) -> dict[str, Any]:
    """Return a page in the words of botocore; keys are unquoted where the server says that it quoted them.

    Raises:
        ValueError: this is no such answer.
    """
    return _fast(body.decode()) or _full(body)


def _fast(text: str) -> dict[str, Any] | None:
    """Read a page by splitting it; None if anything in it is out of the ordinary."""
    if "<!" in text or text.count("&") != text.count("&quot;"):
        return None
    if not _BEGIN.match(text) or not text.rstrip().endswith(_END):
        return None
    head, *blocks = text.split("<Contents>")
    if blocks:
        # Whatever stands after the last entry belongs to the head.
        blocks[-1], end, tail = blocks[-1].partition("</Contents>")
        head += tail
        if not end:
            return None
        blocks[-1] += end
    if not all(block.rstrip().endswith("</Contents>") for block in blocks):
        return None  # something stands between entries
    if not _TRUNCATED.search(head):
        return None
    quoted = "<EncodingType>url</EncodingType>" in head
    entries = _rows(text, blocks, quoted)
    if entries is None:
        entries = _entries(blocks, quoted)
    if entries is None:
        return None
    prefixes = _PREFIX.findall(head)
    if len(prefixes) != head.count("<CommonPrefixes") or "<Contents" in head:
        return None
    return _page(
        entries,
        [_unquoted(prefix, quoted) for prefix in prefixes],
        "<IsTruncated>true</IsTruncated>" in head,
        _between(head, "<NextContinuationToken>", "</NextContinuationToken>"),
    )


def _entries(blocks: list[str], quoted: bool) -> list[dict[str, Any]] | None:
    entries = []
    for block in blocks:
        entry = dict(_PLAIN.findall(block.replace("&quot;", '"')))
        if "Key" not in entry or "Size" not in entry or not entry["Size"].isdigit():
            return None
        entries.append(_entry(entry, quoted))
    return entries


def _rows(text: str, blocks: list[str], quoted: bool) -> list[dict[str, Any]] | None:
    """Read entries that all have the fields of the first, in its order; None if one has not."""
    names = tuple(_LEAF.findall(blocks[0])) if blocks else ()
    order = [name for name in names if name in _FIELDS]
    if sorted(order) != sorted(_FIELDS):
        return None
    rows = _row(names).findall(text)
    if len(rows) != len(blocks):
        return None
    key, size, time, tag, kind = (order.index(name) for name in _FIELDS)
    times = {said: _time(said) for said in {row[time] for row in rows}}  # many are of the same second
    quoted = quoted and ("%" in text or "+" in text)
    return [
        {
            "Key": _unquoted(row[key].replace("&quot;", '"'), quoted),
            "Size": int(row[size]),
            "LastModified": times[row[time]],
            "ETag": row[tag].replace("&quot;", '"'),
            "StorageClass": row[kind],
        }
        for row in rows
    ]


@lru_cache(maxsize=16)
def _row(names: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches an entry of just these fields, none of them empty."""
    value = dict.fromkeys(_FIELDS, "([^<]+)") | {"Size": "([0-9]+)"}
    fields = "".join(f"<{name}>{value.get(name, '[^<]*')}</{name}>" for name in names)
    return re.compile(f"<Contents>{fields}</Contents>")


def _between(text: str, before: str, after: str) -> str | None:
    rest = text.partition(before)[2]
    return rest.partition(after)[0].replace("&quot;", '"') if rest else None


def _full(body: bytes) -> dict[str, Any]:
    try:
        root = ET.fromstring(body)  # noqa: S314 - expat resolves no external entities
    except ET.ParseError as error:
        raise ValueError(f"the answer to a listing is no XML: {error}") from error
    if _name(root) != "ListBucketResult":
        raise ValueError(f"the answer to a listing is <{_name(root)}>")
    values = {_name(child): child.text or "" for child in root}
    if values.get("IsTruncated") not in ("true", "false"):
        raise ValueError("the answer to a listing does not say whether there is more")
    quoted = values.get("EncodingType") == "url"
    entries = [
        _entry({_name(field): field.text or "" for field in child}, quoted)
        for child in root
        if _name(child) == "Contents"
    ]
    prefixes = [
        _unquoted(field.text or "", quoted)
        for child in root
        if _name(child) == "CommonPrefixes"
        for field in child
    ]
    return _page(entries, prefixes, values.get("IsTruncated") == "true", values.get("NextContinuationToken"))


def _name(element: ET.Element) -> str:
    return _NAMESPACE.sub("", element.tag)


def _entry(fields: dict[str, str], quoted: bool) -> dict[str, Any]:
    if "Key" not in fields or "Size" not in fields:
        raise ValueError("an entry of a listing has no key or no size")
    entry: dict[str, Any] = {"Key": _unquoted(fields["Key"], quoted), "Size": int(fields["Size"])}
    if fields.get("LastModified"):
        entry["LastModified"] = _time(fields["LastModified"])
    for name in ("ETag", "StorageClass"):
        if fields.get(name):
            entry[name] = fields[name]
    return entry


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _unquoted(text: str, quoted: bool) -> str:
    return unquote_plus(text) if quoted and ("%" in text or "+" in text) else text


def _page(
    entries: list[dict[str, Any]], prefixes: list[str], truncated: bool, token: str | None
) -> dict[str, Any]:
    if truncated and not token:
        raise ValueError("the answer to a listing says that there is more, and not where")
    page: dict[str, Any] = {"IsTruncated": truncated}
    if entries:
        page["Contents"] = entries
    if prefixes:
        page["CommonPrefixes"] = [{"Prefix": prefix} for prefix in prefixes]
    if token:
        page["NextContinuationToken"] = token
    return page
