"""Files that are not UTF-8 text, recognised by their first bytes."""

from collections.abc import AsyncGenerator, AsyncIterable
from typing import Final

from providers.errors import invalid_argument

_SIGNATURE_BYTES: Final = 6
_UTF_16: Final = "in UTF-16; save it as UTF-8"
_UTF_32: Final = "in UTF-32; save it as UTF-8"
# The order matters: a byte order mark of UTF-32 begins with one of UTF-16. Without a mark, zero
# bytes around the first bracket show the encoding.
_SIGNATURES: Final = (
    (b"\x1f\x8b", "gzip-compressed; upload it uncompressed"),
    (b"PK\x03\x04", "a ZIP archive; upload the file in it"),
    (b"PK\x05\x06", "an empty ZIP archive; upload the file itself"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed; upload it uncompressed"),
    (b"BZh", "bzip2-compressed; upload it uncompressed"),
    (b"\xfd7zXZ\x00", "xz-compressed; upload it uncompressed"),
    (b"\xff\xfe\x00\x00", _UTF_32),
    (b"\x00\x00\xfe\xff", _UTF_32),
    (b"{\x00\x00\x00", _UTF_32),
    (b"\x00\x00\x00{", _UTF_32),
    (b"\xff\xfe", _UTF_16),
    (b"\xfe\xff", _UTF_16),
    (b"{\x00", _UTF_16),
    (b"\x00{", _UTF_16),
)


async def text_only(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """`chunks`, unchanged. Raises INVALID_ARGUMENT if they begin like a file that is not UTF-8."""
    head, checked = b"", False
    async for chunk in chunks:
        if checked:
            yield chunk
            continue
        head += chunk
        if len(head) >= _SIGNATURE_BYTES:
            _refuse(head)
            checked = True
            yield head
    if not checked:
        _refuse(head)
        yield head


def _refuse(head: bytes) -> None:
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise invalid_argument(f"the file is {what}")
