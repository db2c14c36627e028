"""The end of the chain: the provider executes the operation."""

import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from middlewares import operations as op
from middlewares.request_keys import CALLER, GATEWAY, OPERATION, OUTCOME, PROVIDER, UPLOAD
from middlewares.routes import UPLOAD_PATH, UPLOAD_TAIL
from middlewares.sealing import SealedUpload
from providers.credential import Credential
from providers.errors import unimplemented
from providers.provider import Batches, Files, Provider, Relay
from providers.uploads.upload_sessions import create_session_key


async def forward(request: web.Request) -> web.StreamResponse:
    """Stores the outcome; `response_rewrite` turns it into the response."""
    request[OUTCOME] = await _execute(request)
    return web.Response()


async def _execute(request: web.Request) -> op.Outcome:
    match request[OPERATION]:
        case op.StartUpload() as start:
            return await _start_upload(request, start)
        case op.SendChunk() | op.QueryUpload() | op.CancelUpload() as command:
            return await _upload_command(request, command)
        case op.Relayed(relayed):
            return await _relay(request[PROVIDER]).relay(request[CALLER], relayed)
        case op.CreateFile() | op.ListFiles() | op.GetFile() | op.DeleteFile() | op.DownloadFile():
            return await _file_operation(request)
        case _:
            return await _batch_operation(request)


async def _file_operation(request: web.Request) -> op.Outcome:
    files, caller = _files(request[PROVIDER]), request[CALLER]
    match request[OPERATION]:
        case op.CreateFile(session_id, start, body):
            _check_address(request)
            return op.FileCreated(await files.create(caller, session_id, start, body))
        case op.ListFiles(size, token):
            return op.FilePage(await files.list(caller, size, token))
        case op.GetFile(file_id):
            return await files.get(caller, file_id)
        case op.DeleteFile(file_id):
            await files.delete(caller, file_id)
            return op.Done()
        case op.DownloadFile(file_id, form):
            return await files.download(caller, file_id, form)
        case other:
            raise AssertionError(f"not a file operation: {other}")


async def _batch_operation(request: web.Request) -> op.Outcome:
    batches, caller = _batches(request[PROVIDER]), request[CALLER]
    match request[OPERATION]:
        case op.CreateBatch(batch):
            return await batches.create(caller, batch)
        case op.ListBatches(size, token):
            return op.BatchPage(await batches.list(caller, size, token))
        case op.GetBatch(batch_id):
            return await batches.get(caller, batch_id)
        case op.CancelBatch(batch_id):
            await batches.cancel(caller, batch_id)
            return op.Done()
        case op.DeleteBatch(batch_id):
            await batches.delete(caller, batch_id)
            return op.Done()
        case other:
            raise AssertionError(f"not a batch operation: {other}")


async def _start_upload(request: web.Request, operation: op.StartUpload) -> op.Started:
    gateway, provider, caller = request.app[GATEWAY], request[PROVIDER], request[CALLER]
    # Raises if the request does not tell our public address: then nothing is started upstream.
    address = gateway.public_address.of(request)
    started = await provider.uploads.start(caller, operation.start)
    sealed_caller = ""
    if started.needs_caller:
        key = await create_session_key(gateway.state, operation.session_id)
        uses_own = provider.own_credential is not None
        sealed = replace(caller, credential=Credential()) if uses_own else caller
        sealed_caller = gateway.upload_urls.seal_caller(sealed, operation.session_id, key)
    upload = SealedUpload(
        session=operation.session_id,
        tenant=caller.tenant,
        provider=provider.name,
        expires=int(time.time()) + gateway.upload_ttl,
        details=started.details,
        scoping={k: v for k, v in caller.headers.items() if k in provider.scoping_headers},
        sealed_caller=sealed_caller,
    )
    token = gateway.upload_urls.seal(upload, UPLOAD_TAIL)
    path = UPLOAD_PATH.removeprefix("/genai")
    url = f"{address}{path}?upload_id={token}&upload_protocol=resumable"
    return op.Started(url, started.granularity, started.headers)


async def _upload_command(
    request: web.Request, command: op.SendChunk | op.QueryUpload | op.CancelUpload
) -> op.Outcome:
    uploads, session = request[PROVIDER].uploads, request[UPLOAD].session
    match command:
        case op.SendChunk(chunk):
            if chunk.finalize:
                _check_address(request)
            return await uploads.send(session, chunk)
        case op.QueryUpload():
            return await uploads.query(session)
        case op.CancelUpload():
            return await uploads.cancel(session)


def _check_address(request: web.Request) -> None:
    """Raises before anything is created if the request does not tell our public address.

    The response contains that address.
    """
    request.app[GATEWAY].public_address.of(request)


def _files(provider: Provider) -> Files:
    return provider.files or _missing(provider, "files")


def _batches(provider: Provider) -> Batches:
    return provider.batches or _missing(provider, "batches")


def _relay(provider: Provider) -> Relay:
    return provider.relay or _missing(provider, "relay")


def _missing(provider: Provider, capability: str) -> Any:
    raise unimplemented(f"{provider.name} has no {capability}")
