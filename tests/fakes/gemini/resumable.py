"""The commands on a resumable upload's own URL (gemini.md section 3.2), as one table.

Where the facts are silent: the END of a chunk that does not finalize must be a multiple of the
granularity, so that what is left of a chunk after a broken connection can still be sent; a chunk
without a Content-Length is refused; a refusal tells the session's state, as the 409 does.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..intake import body_chunks, drain
from .envelope import refuse
from .store import STORE, UploadSession

# What survives of a chunk whose connection broke: whole blocks of it.
BLOCK = 256 * 1024


def status_header(status: str) -> dict[str, str]:
    return {"X-Goog-Upload-Status": status}


def _told(session: UploadSession) -> dict[str, str]:
    return status_header("final" if session.status == "rejected" else session.status)


async def resume(request: web.Request) -> web.Response:
    session = request.app[STORE].uploads.get(request.query.get("upload_id", ""))
    if session is None or session.path != request.path:
        raise refuse("NOT_FOUND", "Upload session not found.")
    if request.query.get("upload_protocol") != "resumable":
        raise refuse("INVALID_ARGUMENT", "The upload URL was altered.")
    words = request.headers.get("X-Goog-Upload-Command", "").lower().split(",")
    command = COMMANDS.get(frozenset(word.strip() for word in words))
    if command is None:
        raise _no(session, 400, f"Invalid upload command {','.join(words)!r}.")
    return await command(request, session)


def _no(session: UploadSession, http: int, message: str) -> Exception:
    return refuse("INVALID_ARGUMENT", message, http=http, headers=_told(session))


def _need_active(session: UploadSession) -> None:
    if session.status != "active":
        raise _no(session, 400, f"The upload is not active, it is {session.status}.")


async def _upload(request: web.Request, session: UploadSession) -> web.Response:
    async with session.lock:
        _check_chunk(request, session, final=False)
        await _receive(request, session)
        return web.Response(headers=_told(session))


async def _upload_finalize(request: web.Request, session: UploadSession) -> web.Response:
    async with session.lock:
        _check_chunk(request, session, final=True)
        await _receive(request, session)
        return await _close(session)


async def _finalize(request: web.Request, session: UploadSession) -> web.Response:
    async with session.lock:
        _need_active(session)
        if request.body_exists and request.content_length != 0:
            raise _no(session, 400, "finalize alone carries no body.")
        if "X-Goog-Upload-Offset" in request.headers:
            _check_offset(request, session)
        return await _close(session)


async def _query(request: web.Request, session: UploadSession) -> web.Response:
    await drain(request)
    if session.status == "cancelled":
        raise _no(session, 410, "The upload was cancelled.")
    if session.status == "rejected":
        raise _rejection(session)
    if session.status == "final":
        return _final(session)
    received = {"X-Goog-Upload-Size-Received": str(session.writer.size)}
    return web.Response(headers=_told(session) | received)


async def _cancel(request: web.Request, session: UploadSession) -> web.Response:
    await drain(request)
    _need_active(session)
    session.status = "cancelled"
    session.writer.discard()
    return web.Response(headers=_told(session))


Command = Callable[[web.Request, UploadSession], Awaitable[web.Response]]

COMMANDS: dict[frozenset[str], Command] = {
    frozenset({"upload"}): _upload,
    frozenset({"upload", "finalize"}): _upload_finalize,
    frozenset({"finalize"}): _finalize,
    frozenset({"query"}): _query,
    frozenset({"cancel"}): _cancel,
}


def _check_offset(request: web.Request, session: UploadSession) -> int:
    text = request.headers.get("X-Goog-Upload-Offset", "")
    if not (text.isascii() and text.isdigit()):
        raise _no(session, 400, f"Invalid X-Goog-Upload-Offset {text!r}.")
    if int(text) != session.writer.size:
        message = f"Offset {text} does not match the {session.writer.size} bytes received."
        raise _no(session, 409, message)
    return int(text)


def _check_chunk(request: web.Request, session: UploadSession, final: bool) -> None:
    _need_active(session)
    offset = _check_offset(request, session)
    length = request.content_length
    if length is None:
        raise _no(session, 411, "A chunk needs a Content-Length.")
    granularity = request.app[STORE].settings.granularity
    if not final and (length == 0 or (offset + length) % granularity):
        raise _no(session, 400, f"A chunk that is not the last must fill {granularity} bytes.")
    if session.declared is not None and offset + length > session.declared:
        raise _reject(session, f"More than the declared {session.declared} bytes.")


async def _receive(request: web.Request, session: UploadSession) -> None:
    """Write the chunk; if it breaks off, keep the whole blocks of what arrived."""
    start, whole = session.writer.size, False
    arrived = 0
    try:
        async for data in body_chunks(request):
            _need_active(session)
            session.writer.write(data)
            arrived += len(data)
        whole = arrived == request.content_length
    finally:
        if not whole and session.status == "active":
            session.writer.cut(start + arrived - arrived % BLOCK)


async def _close(session: UploadSession) -> web.Response:
    if session.declared not in (None, session.writer.size):
        message = f"{session.writer.size} bytes came, {session.declared} were declared."
        raise _reject(session, message)
    session.answer = await session.end(session, session.writer.finish())
    session.status = "final"
    return _final(session)


def _final(session: UploadSession) -> web.Response:
    return web.json_response(session.answer, headers=_told(session))


def _reject(session: UploadSession, message: str) -> Exception:
    session.status = "rejected"
    session.answer = {"message": message}
    session.writer.discard()
    return _rejection(session)


def _rejection(session: UploadSession) -> Exception:
    message: Any = session.answer["message"]
    return _no(session, 400, message)
