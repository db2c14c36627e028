"""A batch's results exactly as the provider wrote them."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.ended_results import deliver_native
from providers.body import Body
from providers.errors import FerryError, not_found
from providers.resources import Download
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.streams import CUTS, collect, cut, stream

GONE = not_found("the second file is gone")


class Files:
    """Scripted files; `open` while one of them is being read."""

    def __init__(self, *files: Sequence[bytes], error: Exception | None = None) -> None:
        self._files = files
        self._error = error
        self.open = False

    async def files(self) -> AsyncGenerator[Body, None]:
        for pieces in self._files:
            self.open = True
            try:
                yield Body(stream(pieces), None)
            finally:
                self.open = False
        if self._error is not None:
            raise self._error


async def read(download: Download) -> bytes:
    text = await collect(aiter(download.body.chunks))
    await download.close()
    return text


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=4), CUTS)
async def test_every_byte_of_every_file_arrives(files: list[bytes], cuts: list[int]) -> None:
    source = Files(*(cut(file, cuts) for file in files))
    download = await deliver_native(source.files())
    assert (download.mime_type, download.body.length) == ("application/jsonl", None)
    found = await read(download)
    assert found.startswith(files[0])
    assert found.endswith(files[-1])
    assert found.replace(b"\n", b"") == b"".join(files).replace(b"\n", b"")
    assert not source.open


@pytest.mark.parametrize(
    ("files", "whole"),
    [
        (["a\n", "b\n"], "a\nb\n"),
        (["a", "b"], "a\nb"),
        (["a\r\n", "", "b\n"], "a\r\nb\n"),
        (["", "a\n"], "a\n"),
        (["\ufeffa \n\n", "not json"], "\ufeffa \n\nnot json"),
        (['{"a": "\u2028"}\n', '{"a": 1'], '{"a": "\u2028"}\n{"a": 1'),
        ([""], ""),
    ],
)
async def test_lines_stay_lines(files: list[str], whole: str) -> None:
    download = await deliver_native(Files(*([file.encode()] for file in files)).files())
    assert await read(download) == whole.encode()


@pytest.mark.parametrize(
    ("error", "status"),
    [(GONE, Status.NOT_FOUND), (None, Status.NOT_FOUND)],
    ids=["an error", "no file"],
)
async def test_a_stream_that_cannot_start_is_refused(
    error: FerryError | None, status: Status
) -> None:
    with pytest.raises(FerryError) as refused:
        await deliver_native(Files(error=error).files())
    assert refused.value.status == status
    assert refused.value.message


async def test_a_file_that_breaks_off_never_ends_cleanly() -> None:
    source = Files([b"a\n"], [b"b\n"], error=UpstreamError(Status.UNAVAILABLE, "it broke off"))
    download = await deliver_native(source.files())
    with pytest.raises(UpstreamError):
        await read(download)


async def test_an_abandoned_download_closes_its_file() -> None:
    source = Files([b"a\n", b"b\n"])
    download = await deliver_native(source.files())
    assert source.open
    await download.close()
    assert not source.open
