"""One object on its way down: by one plain request first, and by Arrow from where that is worth it."""

from __future__ import annotations

from ..s3._api import Api
from ..s3._checks import check_of
from ..s3._download import Download
from ._files import ArrowFiles, Ranges, Source


class ArrowDownload(Download):
    """A download that goes on in ranges read by Arrow.

    Where Arrow fails, or finds another version, the download goes on as that of the S3
    backend does: that asks for the version that was opened, or tells what is wrong.

    Args:
        files: reads.
        arrow_from: so many bytes come by a plain request first; with 0 there is none.
        whole: all of it will be read, so if it is longer than that, Arrow reads it from the start.
    """

    def __init__(
        self,
        api: Api,
        files: ArrowFiles,
        arrow_from: int,
        key: str,
        start: int,
        length: int | None,
        whole: bool,
    ) -> None:
        super().__init__(api, key, start, length)
        self._files, self._arrow_from, self._whole = files, arrow_from, whole
        self._source: Source | None = None
        self._ranges: Ranges | None = None

    async def _first_answer(self) -> None:
        if self._arrow_from or not self._files.can_name(self.key):
            await super()._first_answer()
            return
        answer = await self.api.request("head_object", self.key, {"ChecksumMode": "ENABLED"})
        size = self._length_of(answer)
        rest = max(size - self._start, 0)
        self._keep(answer, rest if self._length is None else min(rest, self._length))
        if self.size == size:
            self._check = check_of(answer)

    async def _reopen(self, position: int) -> None:
        if self._arrow_from or not self._usable():
            await super()._reopen(position)
        else:
            self.close()
            self._body_from = self._body_at = position

    def _widen(self) -> None:
        read, left = self._body_at - self._body_from, self.size - self._body_at
        enough = self._whole or read >= self._arrow_from
        if not (enough and left > self._arrow_from and self._usable()):
            super()._widen()
        elif self._ranges is None:
            assert self._source is not None
            ranges = Ranges(self._source, self._start)
            self._go_wide(ranges.fetch)
            self._ranges = ranges

    def _usable(self) -> bool:
        if self._source is None:
            self._source = Source(self._files, self.api, self.key, self.headers)
        return self._source.usable

    @property
    def step(self) -> int:
        return self.api.options.part_size

    def close(self) -> None:
        if self._ranges is not None:
            self._ranges.stopped, self._ranges = True, None
        super().close()
