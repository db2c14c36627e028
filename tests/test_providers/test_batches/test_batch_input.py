import bz2
import gzip
import lzma
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.batch_input import InlineInput
from providers.batches.checked_input import Framing, InputLimits, translated
from providers.batches.request_table import RowKind
from providers.body import Body
from providers.errors import FerryError
from providers.memory import MemoryBudget
from providers.resources import InlineRequest
from providers.status import Status
from tests.test_providers.requests_in_lines import OWN, TRANSLATED, Numbered
from tests.test_providers.streams import CUTS, cut
from tests.test_providers.test_batches.batch_inputs import (
    ARRAY,
    LIMITS,
    LINES,
    SmallSpool,
    StoredFile,
    asking,
    checked,
    in_file,
    inline,
    keyed,
    lines_of,
    refusal,
    sent,
)

FRAMINGS = [LINES, ARRAY, Framing()]


async def test_a_file_is_counted_and_then_sent() -> None:
    file = StoredFile(b"\xef\xbb\xbf" + keyed(3))
    source = in_file(file)
    found = await checked(source)
    assert (found.table.kind, found.table.rows) == (RowKind.KEY, [b'"k0"', b'"k1"', b'"k2"'])
    assert (found.native, found.endpoint) == (False, TRANSLATED)
    assert (file.openings, file.readers) == (1, 0)
    data = await sent(source, LINES, found.extent)
    assert data == b"".join(
        lines_of({"number": number, "request": asking("hi")}) + b"\n" for number in range(3)
    )
    assert (file.openings, file.readers) == (2, 0)


@pytest.mark.parametrize("framing", FRAMINGS)
async def test_what_was_checked_is_sent_from_the_spool(framing: Framing) -> None:
    """The file is read once, so a later change does not matter."""
    file = StoredFile(keyed(3))
    source, spool = in_file(file), SmallSpool(1 << 20)
    found = await checked(source, framing=framing, spool=spool)
    twice = await checked(source, framing=framing)
    assert found.table == twice.table
    openings = file.openings
    assert await sent(source, framing, found.extent) == await sent(source, framing, twice.extent)
    assert file.openings == openings + 1


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("at_once", [1, 100, 1 << 18])
@pytest.mark.parametrize("size", [0, 1, 50, 99, 100, 150, 199, 200, 236, 237, 238, 239])
async def test_an_input_that_does_not_fit_in_the_spool_is_read_twice(
    framing: Framing, at_once: int, size: int
) -> None:
    source, spool = in_file(StoredFile(keyed(3))), SmallSpool(size)
    twice = await checked(source, framing=framing)
    with patch("providers.batches.checked_input._SPOOLED_AT_ONCE", at_once):
        found = await checked(source, framing=framing, spool=spool)
    assert found.table == twice.table
    assert (found.extent.source == twice.extent.source) == (size < twice.length)
    assert bool(spool.pieces) == (size >= twice.length)
    assert await sent(source, framing, found.extent) == await sent(source, framing, twice.extent)


async def test_a_second_check_replaces_what_the_first_one_kept() -> None:
    spool = SmallSpool(1 << 20)
    await checked(in_file(StoredFile(keyed(5))), spool=spool)
    source = in_file(StoredFile(keyed(2)))
    found = await checked(source, spool=spool)
    assert len((await sent(source, LINES, found.extent)).splitlines()) == 2


async def test_a_refused_line_is_refused_with_a_spool_too() -> None:
    with pytest.raises(FerryError) as refused:
        await checked(in_file(StoredFile(keyed(2) + b"\n{")), spool=SmallSpool(1 << 20))
    assert refused.value.path == "line 3"


class Counted:
    """Counts the bytes that are read of a body, also before an error."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self.bytes = 0

    async def read(self) -> None:
        async for piece in self._body.chunks:
            self.bytes += len(piece)


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("count", [1, 2, 4, 5000])
async def test_a_file_that_changes_after_the_check_is_not_sent(
    framing: Framing, count: int
) -> None:
    """Not all of its length is sent, so the provider takes no part of it for the whole."""
    found = await checked(in_file(StoredFile(keyed(3))), framing=framing)
    file = StoredFile(keyed(count))
    body = Counted(translated(in_file(file), Numbered(), framing, found.extent))
    with pytest.raises(FerryError, match="changed while it was read") as changed:
        await body.read()
    assert changed.value.status == Status.ABORTED
    assert body.bytes < found.length
    assert file.readers == 0


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("slice_bytes", [1, 10, 1 << 16])
@pytest.mark.parametrize(
    ("old", "new"), [(b'"k1"', b'"k9"'), (b'"hi"', b'"ho"')], ids=["key", "request"]
)
async def test_a_file_of_the_same_length_with_other_lines_is_not_sent(
    framing: Framing, slice_bytes: int, old: bytes, new: bytes
) -> None:
    found = await checked(in_file(StoredFile(keyed(3))), framing=framing)
    file = StoredFile(keyed(3).replace(old, new))
    assert old in keyed(3)
    with patch("providers.batches.checked_input._SLICE_BYTES", slice_bytes):
        body = Counted(translated(in_file(file), Numbered(), framing, found.extent))
        with pytest.raises(FerryError, match="changed while it was read"):
            await body.read()
    assert body.bytes < found.length
    assert file.readers == 0


async def test_keys_that_could_not_be_read_again_are_refused() -> None:
    size = len(b'{"kind":"key","count":2}\n"k0"\n"k1"')
    with patch("providers.batches.checked_input.REQUEST_TABLE", size):
        await checked(in_file(StoredFile(keyed(2))))
        error = await refusal(in_file(StoredFile(keyed(3))))
    assert str(size) in error.message


async def test_inline_requests_keep_their_metadata() -> None:
    source = inline(2)
    found = await checked(source)
    assert (found.table.kind, found.table.rows) == (RowKind.METADATA, [b"null", b'{"a":"b"}'])
    assert (found.native, found.endpoint) == (False, TRANSLATED)
    data = await sent(source, LINES, found.extent)
    assert [orjson.loads(line)["number"] for line in data.splitlines()] == [0, 1]


OWN_LINES = [b'{"custom_id": "%b", "params": {"n": 1.00}}' % name for name in (b"a", b"b")]


@pytest.mark.parametrize(
    ("data", "as_stored"),
    [
        (b"\n".join(OWN_LINES), True),
        (b"\n".join(OWN_LINES) + b"\n", True),
        (b"\xef\xbb\xbf" + b"\n".join(OWN_LINES), False),
        (b"\r\n".join(OWN_LINES), False),
        (b"\n\n".join(OWN_LINES), False),
        (b"\n" + b"\n".join(OWN_LINES), False),
        (b"\n".join(OWN_LINES) + b"\n\n", False),
        (b"\n".join(OWN_LINES) + b" ", False),
        (b"\n".join(OWN_LINES) + b"\n\x0c", False),
    ],
)
async def test_native_lines_are_sent_as_written(data: bytes, as_stored: bool) -> None:
    for pieces in ([data], cut(data, range(1, len(data)))):
        source = in_file(StoredFile(*pieces))
        found = await checked(source)
        assert (found.native, found.endpoint, found.as_stored) == (True, OWN, as_stored)
        assert (found.table.kind, found.table.rows) == (RowKind.CUSTOM_ID, [b'"a"', b'"b"'])
        assert await sent(source, LINES, found.extent) == b"".join(
            line + b"\n" for line in OWN_LINES
        )


@pytest.mark.parametrize("raw", ["\x85", "\u2028", "\u2029"])
async def test_line_separators_of_other_readers_are_escaped(raw: str) -> None:
    line = {"custom_id": "a", "params": {"text": f"a{raw}b"}}
    source = in_file(StoredFile(orjson.dumps(line)))
    found = await checked(source)
    assert not found.as_stored
    data = await sent(source, LINES, found.extent)
    assert len(data.decode().splitlines()) == 1
    assert orjson.loads(data) == line


async def test_a_carriage_return_between_values_is_a_space() -> None:
    source = in_file(StoredFile(b'{"custom_id":\r"a","params":{}}'))
    found = await checked(source)
    assert not found.as_stored
    assert await sent(source, LINES, found.extent) == b'{"custom_id": "a","params":{}}\n'


NOT_LINES = {
    "gzip": gzip.compress(OWN_LINES[0]),
    "ZIP": b"PK\x03\x04" + bytes(40),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(40),
    "bzip2": bz2.compress(OWN_LINES[0]),
    "xz": lzma.compress(OWN_LINES[0]),
    "UTF-16": OWN_LINES[0].decode().encode("utf-16"),
    "UTF-16;": OWN_LINES[0].decode().encode("utf-16-le"),
    "UTF-16; ": OWN_LINES[0].decode().encode("utf-16-be"),
    "UTF-32": OWN_LINES[0].decode().encode("utf-32"),
    "UTF-32;": OWN_LINES[0].decode().encode("utf-32-le"),
    "UTF-32; ": OWN_LINES[0].decode().encode("utf-32-be"),
    "JSON array": b"[" + b",\n".join(OWN_LINES) + b"]",
    "is a JSON array": b"[" + b",".join(OWN_LINES) + b"]",
    "on one line": b'{\n  "custom_id": "a"\n}',
    "not UTF-8": '{"custom_id": "é"}'.encode("latin-1"),
}


@pytest.mark.parametrize(("name", "data"), NOT_LINES.items(), ids=NOT_LINES)
async def test_a_file_of_another_kind_is_named_as_such(name: str, data: bytes) -> None:
    for pieces in ([data], cut(data, range(1, len(data)))):
        assert name.strip() in (await refusal(in_file(StoredFile(*pieces)))).message


async def test_a_native_file_whose_lines_are_sent() -> None:
    lines = [{"custom_id": "a", "params": {}}, {"custom_id": "b", "params": {"x": [1]}}]
    source = in_file(StoredFile(lines_of(*lines)))
    found = await checked(source, framing=ARRAY)
    assert (found.native, found.endpoint) == (True, OWN)
    assert orjson.loads(await sent(source, ARRAY, found.extent)) == {"requests": lines}


@pytest.mark.parametrize("slice_bytes", [0, 50, 64 << 10])
@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("count", [1, 2, 5])
async def test_the_sent_input_has_the_counted_length(
    count: int, framing: Framing, slice_bytes: int
) -> None:
    source = inline(count)
    found = await checked(source, framing=framing)
    with patch("providers.batches.checked_input._SLICE_BYTES", slice_bytes):
        data = await sent(source, framing, found.extent)
    texts = [lines_of({"number": n, "request": asking("hi")}) for n in range(count)]
    assert data == framing.head + framing.between.join(texts) + framing.tail


@given(CUTS, st.sampled_from(FRAMINGS))
async def test_a_file_in_any_pieces(cuts: list[int], framing: Framing) -> None:
    source = in_file(StoredFile(*cut(keyed(3), cuts)))
    found = await checked(source, framing=framing)
    assert found.table.rows == [b'"k0"', b'"k1"', b'"k2"']
    assert await sent(source, framing, found.extent)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (keyed(2) + b"\n{", "line 3"),
        (keyed(1) + b"\n" + lines_of({"custom_id": "a", "params": {}}), "line 2"),
        (lines_of({"custom_id": "a", "params": {}}, {"request": {}}), "line 2"),
        (keyed(1) + b"\n\n" + lines_of({"request": []}), "line 3: request"),
        (lines_of({"recordId": "a"}), "line 1"),
        (keyed(1) + b"\n" + b"x" * 1001, "line 2"),
        (b"\n\n  \n", None),
        (b"", None),
    ],
)
async def test_an_invalid_file_is_closed_at_once(data: bytes, path: str | None) -> None:
    file = StoredFile(data)
    error = await refusal(in_file(file))
    assert error.path == path
    assert (file.openings, file.readers) == (1, 0)


async def test_an_invalid_inline_request() -> None:
    requests = [InlineRequest(b"{}", b"null", "a"), InlineRequest(b"[]", b"null", "b")]
    assert (await refusal(InlineInput(requests, MemoryBudget()))).path == "b"
    assert "no request" in (await refusal(InlineInput([], MemoryBudget()))).message


async def test_the_most_requests() -> None:
    limits = InputLimits("The provider", requests=3, size=LIMITS.size)
    assert len((await checked(inline(3), limits)).table) == 3
    message = (await refusal(inline(4), limits)).message
    assert message == "The provider takes at most 3 requests a batch"


async def test_the_most_requests_of_a_native_file() -> None:
    limits = InputLimits("The provider", requests=1, size=LIMITS.size)
    lines = [lines_of({"custom_id": name, "params": {}}) for name in "ab"]
    assert (await checked(in_file(StoredFile(lines[0])), limits)).native
    error = await refusal(in_file(StoredFile(b"\n".join(lines))), limits)
    assert "at most 1 requests" in error.message


async def test_the_most_bytes() -> None:
    length = (await checked(inline(3))).length
    exactly = InputLimits("The provider", requests=LIMITS.requests, size=length)
    assert (await checked(inline(3), exactly)).length == length
    less = InputLimits("The provider", requests=LIMITS.requests, size=length - 1)
    message = (await refusal(inline(3), less)).message
    assert message == f"The provider takes at most {length - 1} bytes a batch"
