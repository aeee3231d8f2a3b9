"""Buckets for tests, made and looked into with boto's own blocking client."""

from __future__ import annotations

import itertools
import os
from typing import Any

from botocore.session import Session
from tests.services import S3Server


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
        self._numbers = itertools.count()

    def new(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"test-{os.getpid()}-{next(self._numbers)}"
        self._client.create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str) -> list[str]:
        """Return all keys, unsorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def unfinished(self, bucket: str) -> list[str]:
        """Return the keys of uploads that were begun and neither completed nor aborted."""
        found = self._client.list_multipart_uploads(Bucket=bucket)
        return [upload["Key"] for upload in found.get("Uploads", ())]

    def drop(self, bucket: str) -> None:
        """Delete a bucket with all that is in it."""
        keys = self.keys(bucket)
        for key in keys:
            if not key.isprintable():  # what XML cannot say
                self._client.delete_object(Bucket=bucket, Key=key)
        keys = [key for key in keys if key.isprintable()]
        for start in range(0, len(keys), 1000):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            self._client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        self._client.delete_bucket(Bucket=bucket)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
