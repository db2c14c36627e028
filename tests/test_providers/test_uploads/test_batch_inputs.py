"""Which uploads are the input of a batch: by name and type, or by their first line."""

import time
from collections.abc import AsyncIterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.body import Body
from providers.limits import FIRST_LINE
from providers.upload import UploadStart
from providers.uploads.batch_inputs import begins_a_batch, by_first_line, by_name_or_type
from tests.test_providers.streams import CUTS, collect, cut, stream

GEMINI = b'{"key": "a", "request": {}}'
LONG = b'{"request": {"contents": "' + b"x" * FIRST_LINE + b'"}}'


@pytest.mark.parametrize(
    ("start", "decided"),
    [
        (UploadStart("a.jsonl"), True),
        (UploadStart("A.NDJSON", "application/pdf"), True),
        (UploadStart(file_name="a.jsonl", mime_type="text/plain"), True),
        (UploadStart("a", "jsonl"), True),
        (UploadStart("a", "application/jsonl; charset=utf-8"), True),
        (UploadStart("a.txt", "application/x-ndjson"), True),
        (UploadStart("a", "application/json-lines"), True),
        (UploadStart("a.json"), None),
        (UploadStart("a", "application/json"), None),
        (UploadStart("a", "text/json"), None),
        (UploadStart("notes.txt", "TEXT/PLAIN; charset=utf-8"), None),
        (UploadStart("notes.txt"), False),
        (UploadStart("a.pdf", "application/pdf"), False),
        (UploadStart("a.md", "text/markdown"), False),
        (UploadStart(".jsonl"), False),
        (UploadStart(), False),
    ],
)
def test_the_name_and_the_type(start: UploadStart, decided: bool | None) -> None:
    assert by_name_or_type(start) is decided


@pytest.mark.parametrize(
    "line",
    [
        GEMINI,
        b'{"request": {"contents": []}}',
        b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}',
        b'{"custom_id": "a", "params": {}}',
        b'{"recordId": "a", "modelInput": {}}',
        b'\xef\xbb\xbf{"key": "a"}',
        b'\n \r\n{"key": "a"}\r\n{',
        LONG,
        LONG + b"\nnot read so far",
        b'{"a": "\\"key\\": {[", "params": ' + b"[" * FIRST_LINE,
    ],
)
async def test_the_first_line_of_a_batch(line: bytes) -> None:
    assert (await by_first_line(Body(stream([line]), len(line))))[0] is True


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n\n",
        b"some notes",
        b"key: value\n{}",
        b'"key"',
        b'["key"]\n' + GEMINI,
        b"notes\n" + GEMINI,
        b"{\n" + GEMINI,
        b'{"a": {"key": 1}}',
        b'{"a": "key"}',
        b'{"key": }',
        b'{"key": 1',
        b'{"a": {"key": "' + b"x" * FIRST_LINE + b'"}}',
        b'{"a": "' + b"x" * FIRST_LINE + b'", "key": "too late"}',
        b"x" * FIRST_LINE + GEMINI,
        b" " * FIRST_LINE + GEMINI,
        GEMINI.decode().encode("utf-16"),
        b"\x1f\x8b\x08\x00",
        b"%PDF-1.7\n" + GEMINI,
    ],
)
async def test_another_first_line(text: bytes) -> None:
    assert (await by_first_line(Body(stream([text]), len(text))))[0] is False


@given(st.sampled_from([GEMINI + b"\n" + GEMINI, b"notes\n" * 3, b"\n\n" + GEMINI, b""]), CUTS)
async def test_the_body_is_unchanged_however_it_arrives(text: bytes, cuts: list[int]) -> None:
    decided, body = await by_first_line(Body(stream(cut(text, cuts)), len(text)))
    assert decided is (GEMINI in text)
    assert body.length == len(text)
    assert await collect(aiter(body.chunks)) == text


async def test_no_more_than_needed_is_read() -> None:
    """No whole chunk after the one in which the first line ends."""
    read = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read
        for chunk in (b" \n", b'{"key"', b": 1}\nmore", b"not yet"):
            read += 1
            yield chunk

    decided, body = await by_first_line(Body(chunks(), None))
    assert (decided, read) == (True, 3)
    assert await collect(aiter(body.chunks)) == b' \n{"key": 1}\nmorenot yet'


@given(st.dictionaries(st.text(max_size=8), st.integers(-9, 9) | st.text(max_size=8), max_size=4))
def test_a_line_that_is_cut_off_has_the_names_of_the_whole_line(line: dict[str, object]) -> None:
    text = orjson.dumps(line | {"params": {}})
    assert begins_a_batch(text, whole=True)
    assert begins_a_batch(text, whole=False)
    assert not begins_a_batch(orjson.dumps({"a": line | {"params": {}}}), whole=False)


@pytest.mark.parametrize("unit", [b'"', b'\\"', b'{"', b'":', b"[", b'"a":', b"\\", b'{"a":"'])
def test_the_time_is_linear(unit: bytes) -> None:
    line = b'{"' + unit * (FIRST_LINE // len(unit))
    began = time.process_time()
    begins_a_batch(line, whole=False)
    assert time.process_time() - began < 1
