"""The front: it checks every signature, refuses what S3 refuses, and signs again for moto.

moto with its authorisation on answers 500 to each presigned URL, and misreads `partNumber` where a
PUT has the Content-Type of a form (bedrock.md section 7). `page_limit` bounds every list.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from io import BytesIO

from aiohttp import ClientSession, DummyCookieJar, web
from yarl import URL

from .. import control
from ..intake import read_whole
from ..journal import Settings
from ..snapshot import install_snapshot
from ..striking import Handler
from .backdoor import S3Backdoor
from .begun import BegunUploads
from .moto_server import MotoServer
from .refusals import S3Refusal, check_encryption, check_framing, check_headers, check_part_number
from .signatures import Signed, check_signature, without_signature
from .snapshot import S3Snapshot

BUCKET = "ferry-state"
# Like some S3-compatible stores, it ignores If-None-Match.
OVERWRITING_BUCKET = "ferry-overwriting"
# Where the files of Bedrock's users are, and the inputs and outputs of its jobs.
FILES_BUCKET = "ferry-files"

BODY_BYTES = 1 << 30
OF_THE_SIGNATURE = {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token"}
PAGE_SIZES = {"list-type": "max-keys", "uploads": "max-uploads", "uploadId": "max-parts"}
FROM_MOTO = {"content-type", "content-length", "etag", "last-modified", "content-range"}


class Front:
    def __init__(self, moto: MotoServer, settings: Settings, begun: BegunUploads) -> None:
        self._moto = moto
        self._settings = settings
        # moto checks whether an object exists and writes it in two steps, in threads.
        self._one_at_a_time = asyncio.Lock()
        self._begun = begun
        self._session: ClientSession | None = None

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        async with ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False) as session:
            self._session = session
            yield

    async def handle(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        check_framing(request.method, headers)
        body = await read_whole(request, BODY_BYTES)
        url = URL(f"http://{request.headers['Host']}{request.raw_path}", encoded=True)
        check_signature(Signed(request.method, url, headers, body))
        check_headers(headers)
        check_part_number(url.query)
        check_encryption(request.method, url.query, headers)
        async with self._one_at_a_time:
            return await self._pass_on(request.method, without_signature(url), headers, body)

    async def _pass_on(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> web.Response:
        bucket, upload = url.path.split("/")[1], url.query.get("uploadId")
        if bucket and not self._moto.has_bucket(bucket):
            raise S3Refusal(404, "NoSuchBucket", BucketName=bucket)
        if upload is not None and not self._moto.has_upload(bucket, upload):
            # moto accepts a second Complete, and answers 500 to a part of an upload that has ended.
            raise S3Refusal(404, "NoSuchUpload")
        token = url.query.get("continuation-token")
        if token is not None and not self._moto.has_token(token):
            raise S3Refusal(400, "InvalidArgument", "The continuation token provided is incorrect")
        passed = {n: v for n, v in headers.items() if _is_for_moto(n, bucket)}
        if "partNumber" not in url.query and "content-type" in headers:
            passed["content-type"] = headers["content-type"]  # it is the object's
        return await self._ask_moto(method, self._paged(method, url), passed, body)

    async def _ask_moto(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes
    ) -> web.Response:
        assert self._session is not None
        target = URL(f"{self._moto.origin}{url.raw_path_qs}", encoded=True)
        signed = self._moto.sign(method, target, headers, body)
        async with self._session.request(
            method,
            target,
            headers=dict(signed.headers),
            data=BytesIO(body),  # aiohttp warns of long bytes, and warnings are errors
            skip_auto_headers=["Content-Type"],
        ) as answer:
            kept = {n: v for n, v in answer.headers.items() if _is_for_client(n.lower())}
            content = self._corrected(method, url, await answer.read())
            if method != "HEAD":
                kept.pop("Content-Length", None)
            return web.Response(status=answer.status, headers=kept, body=content or None)

    def _corrected(self, method: str, url: URL, content: bytes) -> bytes:
        if "uploads" not in url.query:
            return content
        if method == "POST":
            self._begun.note(content)
        return self._begun.correct(content)

    def _paged(self, method: str, url: URL) -> URL:
        limit = self._settings.page_limit
        for mark, size in PAGE_SIZES.items():
            if method == "GET" and limit is not None and mark in url.query:
                # S3 reduces a larger number to its own limit.
                bounded = min(limit, int(url.query.get(size, limit)))
                query = re.sub(rf"&?{size}=\d+", "", url.raw_query_string)
                return URL(f"{url.origin()}{url.raw_path}?{query}&{size}={bounded}", encoded=True)
        return url


@web.middleware
async def xml_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except S3Refusal as refusal:
        body = None if request.method == "HEAD" else refusal.render()
        return web.Response(
            status=refusal.status,
            headers=refusal.headers,
            body=body,
            content_type="application/xml",
        )


def s3_app() -> web.Application:
    """A new S3 with three buckets, which exists as long as the application.

    A process can have only one at a time: moto keeps its buckets in a global variable.
    """
    settings = Settings()
    moto = MotoServer([BUCKET, OVERWRITING_BUCKET, FILES_BUCKET])
    begun = BegunUploads()
    front = Front(moto, settings, begun)
    app = web.Application(middlewares=[control.control_middleware, xml_errors])
    control.install(app, S3Backdoor(moto, BUCKET, FILES_BUCKET), settings)
    install_snapshot(app, S3Snapshot(moto, begun))
    app.cleanup_ctx.append(front.running)
    app.router.add_route("*", "/{path:.*}", front.handle)
    return app


def _is_for_moto(name: str, bucket: str) -> bool:
    if name == "if-none-match":
        return bucket != OVERWRITING_BUCKET
    return name in ("range", "if-match") or (
        name.startswith("x-amz-") and name not in OF_THE_SIGNATURE
    )


def _is_for_client(name: str) -> bool:
    return name in FROM_MOTO or name.startswith("x-amz-")
