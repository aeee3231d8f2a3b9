"""Buckets for tests, made and looked into with boto's own blocking client."""

from __future__ import annotations

import itertools
import json
import os
from collections import deque
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from botocore.session import Session
from tests.services import S3Server

RESTING = 2
_numbers = itertools.count()


class Buckets:
    """The buckets of one server."""

    def __init__(self, server: S3Server) -> None:
        options = server.options
        self._client: Any = Session().create_client(
            "s3",
            endpoint_url=options["endpoint_url"],
            region_name=options["region_name"],
            aws_access_key_id=options["key"],
            aws_secret_access_key=options["secret"],
        )
        self._filer = server.filer_url
        self._free: deque[str] = deque()

    def new(self) -> str:
        """Return the name of an empty bucket; the first files in a new one take long.

        The one that was emptied last rests: once in many thousand tests SeaweedFS said of an
        object that it had just stored that there was none, in a bucket emptied a moment before.
        """
        if len(self._free) > RESTING:
            return self._free.popleft()
        name = f"test-{os.getpid()}-{next(_numbers)}"
        self._client.create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str) -> list[str]:
        """Return all keys, unsorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def unfinished(self, bucket: str) -> list[str]:
        """Return the keys of uploads that were begun and neither completed nor aborted."""
        try:
            found = self._client.list_multipart_uploads(Bucket=bucket)
        except self._client.exceptions.NoSuchUpload:  # so rclone says that there is none
            return []
        return [upload["Key"] for upload in found.get("Uploads", ())]

    def drop(self, bucket: str) -> None:
        """Empty a bucket, of what is left of folders too, and keep it for another test."""
        folder = f"{self._filer}/buckets/{bucket}/"
        listing = urlopen(Request(f"{folder}?limit=10000", headers={"Accept": "application/json"}))
        with listing:
            entries = json.load(listing)["Entries"] or []
        for entry in entries:
            name = quote(entry["FullPath"].rpartition("/")[2], safe="")
            url = f"{folder}{name}?recursive=true&ignoreRecursiveError=true"
            urlopen(Request(url, method="DELETE")).close()
        self._free.append(bucket)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
