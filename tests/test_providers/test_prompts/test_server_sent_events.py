from collections.abc import AsyncIterator
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.limits import STREAM_EVENT
from providers.prompts.server_sent_events import event_data
from providers.upstream import UpstreamError


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def data_of(*pieces: bytes) -> list[bytes]:
    return [data async for data in event_data(chunks(*pieces))]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b": comment\n\n: another\ndata: a\n\n", [b"a"]),
        (b"event: ping\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"event: ping\n\ndata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        # As the keep-alives of some servers.
        (b"data\n\ndata: \n\ndata: a\n\n", [b"a"]),
        # As llama.cpp wrote errors.
        (b'error: {"code":400}\n\ndata: a\n\n', [b'{"code":400}', b"a"]),
        # A JSON object instead of a stream:
        (b' \r\n{"a":\n\n"data: b"}\n', [b'{"a":\n\n"data: b"}\n']),
        # Without its end:
        (b"data: a\n\ndata: b", [b"a", b"b"]),
        (b"data: a\n\ndata: b\n", [b"a", b"b"]),
        (b"", []),
    ],
)
async def test_events(stream: bytes, expected: list[bytes]) -> None:
    assert await data_of(stream) == expected
    assert await data_of(*(bytes([byte]) for byte in stream)) == expected


@given(
    texts=st.lists(st.text("ab\u2028\u0085é", min_size=1), max_size=5),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    size=st.integers(1, 7),
)
async def test_the_cuts_of_a_stream_do_not_matter(texts: list[str], end: bytes, size: int) -> None:
    stream = b"".join(b"data: " + text.encode() + end + end for text in texts)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert await data_of(*pieces) == [text.encode() for text in texts]


async def test_a_long_event_in_small_pieces_is_read_once() -> None:
    """Reading it from its start for each piece would take minutes."""
    pieces = [b"a" * 64] * (STREAM_EVENT // 2 // 64)
    begun = process_time()
    (data,) = await data_of(b"data: ", *pieces, b"\n\n")
    assert process_time() - begun < 5
    assert len(data) == STREAM_EVENT // 2


async def test_an_event_of_countless_empty_lines_is_refused() -> None:
    with pytest.raises(UpstreamError, match="more than"):
        await data_of(*[b"data:\n" * 10_000] * (STREAM_EVENT // 10_000 + 1))


@pytest.mark.parametrize("line", [b"data: ", b"", b"data: a\ndata: "])
async def test_an_event_that_is_too_long_is_refused(line: bytes) -> None:
    piece = b"a" * (1 << 20)
    with pytest.raises(UpstreamError, match="more than"):
        await data_of(line, *[piece] * (STREAM_EVENT // len(piece) + 1))
