"""Sixth step, on the way back: renders the outcome in Gemini's shape, and streams long bodies."""

import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, cast

from aiohttp import web
from multidict import CIMultiDict

from middlewares import operations as op
from middlewares import outcomes
from middlewares.answer_stream import start_stream
from middlewares.embeddings_answer import embeddings_body
from middlewares.error_object import error_object, naming_the_provider
from middlewares.http_rules import named_in_connection
from middlewares.rendering import render_batch, render_file, render_model, render_output
from middlewares.request_keys import GATEWAY, LIMITS, OPERATION, OUTCOME, REFUSAL, Handler
from middlewares.streamed_response import Reset, StreamedResponse
from providers.body import Body
from providers.errors import FerryError
from providers.json_api.json_text import render_json
from providers.resources import Batch, Counted, Download, File, Generated, InlineResults, Model
from providers.status import explain_status, is_redirect
from providers.upload import UploadProgress
from providers.upstream import Reply, invalid_answer

_CONTENT_TYPES: Final = {
    outcomes.StreamForm.EVENTS: "text/event-stream",
    outcomes.StreamForm.LIST: "application/json",
}

# For the error that ends a stream when the client's time is over.
_LAST_WRITE_SECONDS: Final = 1.0

# Hop-by-hop headers (RFC 9110 section 7.6.1), headers that the proxy sets itself, and those that
# would send browsers to other addresses.
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
        "link",
        "nel",
        "refresh",
        "report-to",
        "reporting-endpoints",
        "server",
        "date",
    }
)


@web.middleware
async def response_rewrite(request: web.Request, handler: Handler) -> web.StreamResponse:
    outcome = (await handler(request))[OUTCOME]
    if isinstance(request[OPERATION], op.Relayed):
        await _check_redirect(cast(Reply, outcome), request)
    if isinstance(outcome, outcomes.Streamed):
        response = await _streamed(outcome, request)
    else:
        response = _render(outcome, request)
    response[OUTCOME] = outcome
    return response


async def _check_redirect(reply: Reply, request: web.Request) -> None:
    """Raises UpstreamError for a redirect to anything but an address of this proxy.

    A client that follows it would send its key, or its client token, there.
    """
    if not is_redirect(reply.status):
        return
    ours = f"{request.app[GATEWAY].public_address.of(request)}/"
    named = [value for name, value in reply.headers.items() if name.lower() == "location"]
    if not all(location.startswith(ours) for location in named):
        await reply.aclose()
        raise invalid_answer(explain_status(reply.status))


def _render(outcome: outcomes.Whole, request: web.Request) -> web.StreamResponse:
    reset = request.app[GATEWAY].reset
    match outcome:
        case outcomes.Started():
            return _started(outcome)
        case UploadProgress():
            return _progress(outcome, request)
        case outcomes.BatchCreated(batch):
            return _json(_document(batch, request), _named(batch.warnings))
        case Batch(output=InlineResults() as results):
            return _inline_results(outcome, results, reset)
        case Download(body, mime_type, release):
            headers = {"Content-Type": mime_type}
            return StreamedResponse(body, headers=headers, release=release, reset=reset)
        case Generated() | Counted() | outcomes.EmbeddingsMade():
            return _answer(outcome, reset)
        case outcomes.FileCreated() | outcomes.Listed() | File() | Batch() | Model() | None:
            return _json(_document(outcome, request))
        case reply:
            return _relayed(reply, reset, request[LIMITS].seconds_left())


def _document(
    outcome: outcomes.FileCreated | outcomes.Listed | File | Batch | Model | None,
    request: web.Request,
) -> dict[str, Any]:
    match outcome:
        case None:
            return {}
        case outcomes.FileCreated(file):
            return {"file": _document(file, request)}
        case File():
            return render_file(outcome, request.app[GATEWAY].public_address.of(request))
        case Batch():
            return render_batch(outcome, render_output(outcome, []))
        case Model():
            return render_model(outcome)
        case outcomes.Listed(member, page):
            document = {
                member: [_document(item, request) for item in page.items],
                "nextPageToken": page.next_page_token,
            }
            return {key: value for key, value in document.items() if value}


def _json(document: object, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=render_json(document), content_type="application/json", headers=headers
    )


def _answer(
    outcome: Generated | Counted | outcomes.EmbeddingsMade, reset: Reset
) -> web.StreamResponse:
    match outcome:
        case Counted(total, warnings):
            return _json({"totalTokens": total}, _named(warnings))
        case Generated(document, warnings):
            headers = _named(warnings)
            return web.Response(body=document, content_type="application/json", headers=headers)
        case outcomes.EmbeddingsMade(form, embedded):
            headers = {"Content-Type": "application/json", **_named(embedded.warnings)}
            body = embeddings_body(embedded, form)
            return StreamedResponse(body, headers=headers, release=embedded.close, reset=reset)


def _named(warnings: str) -> dict[str, str]:
    return {"x-ferry-warnings": warnings} if warnings else {}


def _started(started: outcomes.Started) -> web.Response:
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
    created = None if progress.file is None else outcomes.FileCreated(progress.file)
    return _json(_document(created, request), headers)


async def _streamed(streamed: outcomes.Streamed, request: web.Request) -> web.StreamResponse:
    def named_envelope(error: FerryError) -> dict[str, object]:
        refusal = request[REFUSAL] = naming_the_provider(request, error)
        return {"error": error_object(refusal)}

    limits = request[LIMITS]
    body = await start_stream(streamed, named_envelope, limits)
    headers = {
        "Content-Type": _CONTENT_TYPES[streamed.form],
        "Cache-Control": "no-cache",
        "X-Accel-Buffering": "no",  # else nginx waits for more
        **_named(streamed.answer.warnings),
    }
    reset, release = request.app[GATEWAY].reset, streamed.answer.close
    left = limits.seconds_left() + _LAST_WRITE_SECONDS
    return StreamedResponse(body, headers=headers, release=release, reset=reset, within=left)


def _inline_results(batch: Batch, results: InlineResults, reset: Reset) -> web.StreamResponse:
    """The results are in the response twice; streaming keeps only one copy in memory."""
    mark = secrets.token_hex(16)
    rendered = render_json(render_batch(batch, render_output(batch, mark)))
    template = rendered.split(f'"{mark}"'.encode())
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


def _relayed(reply: Reply, reset: Reset, within: float) -> web.StreamResponse:
    headers: CIMultiDict[str] = CIMultiDict()
    dropped = _NOT_RELAYED | named_in_connection(reply.headers)
    for name, value in reply.headers.items():
        # Google's CORS headers apply to Google's address, not to the proxy's.
        if name.lower() not in dropped and not name.lower().startswith("access-control-"):
            headers.add(name, value)
    length = reply.headers.get("Content-Length")
    body = Body(reply.chunks(), int(length) if length else None)
    return StreamedResponse(
        body,
        headers=headers,
        status=reply.status,
        release=reply.aclose,
        reset=reset,
        within=within,
    )
