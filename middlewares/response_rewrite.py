"""Sixth step, on the way back: renders the outcome in Gemini's shape, and streams long bodies."""

import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from aiohttp import web
from multidict import CIMultiDict

from middlewares import operations as op
from middlewares.rendering import render_batch, render_file, render_output, to_json
from middlewares.request_keys import GATEWAY, OUTCOME, Handler
from middlewares.streamed_response import Reset, StreamedResponse
from providers.body import Body
from providers.resources import Batch, CreatedBatch, Download, File, InlineResults
from providers.upload import UploadProgress

# Hop-by-hop headers (RFC 9110 section 7.6.1), and headers that the proxy sets itself.
_NOT_RELAYED: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
        "set-cookie",
        "alt-svc",
        "server",
        "date",
    }
)


@web.middleware
async def response_rewrite(request: web.Request, handler: Handler) -> web.StreamResponse:
    await handler(request)
    return _render(request[OUTCOME], request)


def _render(outcome: op.Outcome, request: web.Request) -> web.StreamResponse:
    reset = request.app[GATEWAY].reset
    match outcome:
        case op.Started() | UploadProgress():
            return _upload(outcome, request)
        case File() | op.FileCreated() | op.FilePage():
            return _json(_files(outcome, request.app[GATEWAY].public_address.of(request)))
        case Batch() | op.BatchPage() | CreatedBatch():
            return _batches(outcome, reset)
        case op.Done():
            return _json({})
        case Download():
            headers = {"Content-Type": outcome.mime_type}
            return StreamedResponse(
                outcome.body, headers=headers, release=outcome.close, reset=reset
            )
        case reply:
            return _relayed(reply, reset)


def _upload(outcome: op.Started | UploadProgress, request: web.Request) -> web.Response:
    if isinstance(outcome, op.Started):
        return _started(outcome)
    return _progress(outcome, request)


def _batches(outcome: Batch | op.BatchPage | CreatedBatch, reset: Reset) -> web.StreamResponse:
    match outcome:
        case Batch(output=InlineResults() as results):
            return _inline_results(outcome, results, reset)
        case Batch():
            return _json(_batch(outcome))
        case op.BatchPage(page):
            listed = [_batch(batch) for batch in page.items]
            return _json(_page("operations", listed, page.next_page_token))
        case CreatedBatch(batch):
            headers = {"x-ferry-warnings": batch.warnings} if batch.warnings else {}
            return _json(_batch(batch), headers)


def _files(outcome: File | op.FileCreated | op.FilePage, address: str) -> dict[str, Any]:
    match outcome:
        case File():
            return render_file(outcome, address)
        case op.FileCreated(file):
            return {"file": render_file(file, address)}
        case op.FilePage(page):
            listed = [render_file(file, address) for file in page.items]
            return _page("files", listed, page.next_page_token)


def _page(key: str, listed: list[Any], token: str | None) -> dict[str, Any]:
    document: dict[str, Any] = {key: listed} if listed else {}
    return document | ({"nextPageToken": token} if token else {})


def _batch(batch: Batch) -> dict[str, Any]:
    return render_batch(batch, render_output(batch, []))


def _json(document: object, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=to_json(document), content_type="application/json", headers=headers or {}
    )


def _started(started: op.Started) -> web.Response:
    """Python's aiohttp transport finds `X-Goog-Upload-URL` only in this exact spelling."""
    headers = {
        **started.headers,
        "X-Goog-Upload-Status": "active",
        "X-Goog-Upload-URL": started.url,
        "X-Goog-Upload-Control-URL": started.url,
    }
    if started.granularity is not None:
        headers["X-Goog-Upload-Chunk-Granularity"] = str(started.granularity)
    return _json({}, headers)


def _progress(progress: UploadProgress, request: web.Request) -> web.Response:
    headers = {**progress.headers, "X-Goog-Upload-Status": progress.status.value}
    if progress.received is not None:
        headers["X-Goog-Upload-Size-Received"] = str(progress.received)
    if progress.document is not None:
        return web.Response(
            body=progress.document, content_type="application/json", headers=headers
        )
    if progress.file is None:
        return _json({}, headers)
    address = request.app[GATEWAY].public_address.of(request)
    return _json({"file": render_file(progress.file, address)}, headers)


def _inline_results(batch: Batch, results: InlineResults, reset: Reset) -> web.StreamResponse:
    """The results are in the response twice; streaming keeps only one copy in memory."""
    mark = secrets.token_hex(16)
    template = to_json(render_batch(batch, render_output(batch, mark))).split(f'"{mark}"'.encode())
    size = sum(map(len, results.items)) + max(0, len(results.items) - 1) + 2
    length = sum(map(len, template)) + size * (len(template) - 1)

    async def chunks() -> AsyncIterator[bytes]:
        yield template[0]
        for rest in template[1:]:
            for index, item in enumerate(results.items):
                yield b"[" + item if index == 0 else b"," + item
            yield b"]" if results.items else b"[]"
            yield rest

    headers = {"Content-Type": "application/json"}
    body = Body(chunks(), length)
    return StreamedResponse(body, headers=headers, release=results.close, reset=reset)


def _nominated(connection: str) -> set[str]:
    """The further headers that a `Connection` header declares as hop-by-hop."""
    return {name.strip().lower() for name in connection.split(",")}


def _relayed(reply: Any, reset: Reset) -> web.StreamResponse:
    headers: CIMultiDict[str] = CIMultiDict()
    dropped = _NOT_RELAYED | _nominated(reply.headers.get("Connection", ""))
    for name, value in reply.headers.items():
        # Google's CORS headers apply to Google's address, not to the proxy's.
        if name.lower() not in dropped and not name.lower().startswith("access-control-"):
            headers.add(name, value)
    length = reply.headers.get("Content-Length")
    body = Body(reply.chunks(), int(length) if length else None)
    return StreamedResponse(
        body, headers=headers, status=reply.status, release=reply.aclose, reset=reset
    )
