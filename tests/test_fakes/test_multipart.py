from collections.abc import AsyncIterator

import pytest

from tests.fakes.multipart import MultipartError, MultipartReader, boundary_of, split_header

BODY = (
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\none\r\n'
    b'--B\r\nContent-Disposition: form-data; name="b"; filename="f.jsonl"\r\n\r\n\r\n--Bee\r\n\r\n'
    b"--B--\r\n"
)
PARTS = [("a", b"one"), ("b", b"\r\n--Bee\r\n")]


async def chunks(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def parse(body: bytes, size: int) -> list[tuple[str, bytes]]:
    found = []
    async for part in MultipartReader(chunks(body, size), b"B").parts():
        _, parameters = split_header(part.headers["content-disposition"])
        found.append((parameters["name"], b"".join([piece async for piece in part.body])))
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_parts_are_the_same_however_the_bytes_arrive(size: int) -> None:
    # "\r\n--Bee" begins like the delimiter "\r\n--B", so it ends the part and is no delimiter.
    with pytest.raises(MultipartError, match="neither a part nor the end"):
        await parse(BODY, size)
    assert await parse(BODY.replace(b"--Bee", b"--bee"), size) == [
        PARTS[0],
        ("b", b"\r\n--bee\r\n"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"preamble\r\n--B--",
        b"--C\r\n\r\n--C--",
        BODY[:20],
        BODY.replace(b"--Bee", b"")[:-6],
        BODY.replace(b"--Bee", b"") + b"x",
        b"--B\r\nno colon\r\n\r\nx\r\n--B--",
        b"--B\r\n\xff: a\r\n\r\nx\r\n--B--",
    ],
)
async def test_malformed_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(MultipartError):
        await parse(body, 5)


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "text/plain; boundary=B", 'multipart/form-data; boundary=""']
)
def test_a_boundary_is_required(header: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(header, "multipart/form-data")


def test_header_parameters_unescape() -> None:
    header = r'form-data; name="file"; filename="a \"b\" ü.jsonl"'
    assert split_header(header) == ("form-data", {"name": "file", "filename": 'a "b" ü.jsonl'})
