"""Buckets for tests, made and looked into with boto's own blocking client."""

from __future__ import annotations

import itertools
import os
from typing import Any
from urllib.request import Request, urlopen

from botocore.session import Session
from tests.services import S3Server

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

    def new(self) -> str:
        """Return the name of a new bucket.

        None is used twice: once in many thousand tests SeaweedFS said of an object that it had
        just stored that there was none, where one of the same name had been deleted before.
        """
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
        """Delete a bucket with all that is in it, what is left of folders and uploads too."""
        url = f"{self._filer}/buckets/{bucket}?recursive=true&ignoreRecursiveError=true"
        urlopen(Request(url, method="DELETE")).close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
