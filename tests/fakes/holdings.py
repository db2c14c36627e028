"""Everything that a fake stores as one JSON document, to restore it in another run.

GET  /_fake/holdings   everything, with every id and time
POST /_fake/holdings   add such a document to what the fake stores

Contents are deflated, in base64 and whole in memory: use this for small stores only.
"""

import base64
import zlib
from typing import Any, Protocol

from aiohttp import web

from .blob import Blob, BlobStore
from .control import answering_errors

MOST_BYTES = 64 * 1024 * 1024


class Holder(Protocol):
    """A fake's store as a document. `origin` is the address of the fake that restores one."""

    def holdings(self) -> dict[str, Any]: ...
    def put(self, holdings: dict[str, Any], origin: str) -> None: ...


# Not typed at run time: an application key needs a class, not a protocol.
HOLDER: web.AppKey[Holder] = web.AppKey("holder")


def install_holdings(app: web.Application, holder: Holder) -> None:
    app[HOLDER] = holder

    async def show(_: web.Request) -> web.Response:
        return web.json_response(holder.holdings())

    async def put(request: web.Request) -> web.Response:
        holder.put(await request.json(), str(request.url.origin()))
        return web.json_response({})

    app.router.add_get("/_fake/holdings", answering_errors(show))
    app.router.add_post("/_fake/holdings", answering_errors(put))


def packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


def packed_blob(blob: Blob) -> str:
    return packed(b"".join(blob.pieces()))


def unpacked(text: str) -> bytes:
    inflating = zlib.decompressobj()
    content = inflating.decompress(base64.b64decode(text, validate=True), MOST_BYTES)
    if not inflating.eof:
        raise ValueError(f"a content is cut off, or has more than {MOST_BYTES} bytes")
    return content


def unpacked_blob(blobs: BlobStore, text: str) -> Blob:
    with blobs.writing() as writer:
        writer.write(unpacked(text))
        return writer.finish()
