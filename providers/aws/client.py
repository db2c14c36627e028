"""Signed calls to AWS through the shared upstream; refusals become our errors."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

import orjson
from yarl import URL

from providers.aws.clock import AwsClock
from providers.aws.errors import error_despite_success, parse_xml, refused
from providers.aws.keys import AwsKeys
from providers.aws.signing import BEDROCK, S3, aws_url, presigned, signed
from providers.aws.target import AwsTarget, S3Target
from providers.body import Body
from providers.errors import FerryError
from providers.json_api.client import Answer, read_refusal
from providers.json_api.json_text import parse_answer
from providers.limits import UPSTREAM_ANSWER
from providers.long_work import off_loop_if_long
from providers.retries import USUAL_RETRIES, Retries
from providers.upstream import OutboundRequest, Reply, Upstream, invalid_answer

T = TypeVar("T")

_PLAIN: Final = {"Accept": "*/*", "Accept-Encoding": "identity"}


def _as_it_is(error: FerryError) -> FerryError:
    return error


class AwsClient:
    """`name` is how the user configured the upstream.

    `restate` makes the error that is raised for a refusal; its status and reason must stay.
    """

    def __init__(
        self,
        name: str,
        upstream: Upstream,
        retries: Retries = USUAL_RETRIES,
        restate: Callable[[FerryError], FerryError] = _as_it_is,
    ) -> None:
        self.name = name
        self._upstream = upstream
        self._retries = retries
        self._restate = restate
        self._clock = AwsClock()

    async def json(
        self, target: AwsTarget, method: str, path: str, document: Any = None, **query: str
    ) -> Answer:
        """A call to Bedrock's control plane that is safe to repeat."""
        body = b"" if document is None else orjson.dumps(document)
        headers = {"Content-Type": "application/json"} if body else {}
        url = aws_url(target.control, path, query)
        return await self._repeated(self._json, target, BEDROCK, method, url, body, headers)

    async def xml(
        self,
        target: S3Target,
        method: str,
        url: URL,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The root of S3's answer to a small call that is safe to repeat; None if it is empty."""
        read = partial(self._xml, target)
        return await self._repeated(read, target, S3, method, url, body, headers)

    async def head(self, target: S3Target, url: URL) -> Mapping[str, str]:
        """The headers of S3's answer."""
        return await self._repeated(_headers, target, S3, "HEAD", url, b"", None)

    async def open(
        self,
        target: S3Target,
        service: str,
        method: str,
        url: URL,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        silence: float | None = None,
    ) -> Reply:
        """One attempt; the answer is still on the wire. `silence` as in OutboundRequest.

        It is made again if its refusal shows that this machine's clock is wrong.
        """
        request = OutboundRequest(method, url, dict(headers or {}), body or None, silence)
        keys = await target.keys()
        correction = self._clock.correction
        try:
            return await self._signed(target, keys, service, request)
        except FerryError:
            if self._clock.correction == correction:
                raise
            return await self._signed(target, keys, service, request)

    async def opened(
        self, target: S3Target, url: URL, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """An object of S3, still on the wire. It is asked for again until its answer begins."""
        call = partial(self.open, target, S3, "GET", url, headers=headers)
        return await self._retries.idempotent(call)

    async def put(
        self, target: S3Target, url: URL, body: Body, headers: Mapping[str, str] | None = None
    ) -> None:
        """Stream `body` to a presigned URL of S3."""
        bare = OutboundRequest("PUT", url, dict(headers or {}))
        keys = await target.keys()
        at = self._clock.now()
        request = replace(presigned(bare, keys, target.region, at), body=body)
        send = partial(self._sent, target, keys, request)
        async with await self._retries.unsent(send) as reply:
            await reply.read(UPSTREAM_ANSWER)
            if not reply.headers.get("ETag"):
                # S3 names the ETag of what it has stored; without one, something else answered
                # (bedrock.md section 5).
                raise invalid_answer(f"{self.name}: S3 did not confirm a PUT")

    async def _repeated(
        self,
        read: Callable[[Reply], Awaitable[T]],
        target: S3Target,
        service: str,
        method: str,
        url: URL,
        body: bytes,
        headers: Mapping[str, str] | None,
    ) -> T:

        async def call() -> T:
            async with await self.open(target, service, method, url, body, headers) as reply:
                return await read(reply)

        return await self._retries.idempotent(call)

    async def _signed(
        self, target: S3Target, keys: AwsKeys, service: str, request: OutboundRequest
    ) -> Reply:
        at = self._clock.now()
        return await self._sent(target, keys, signed(request, keys, service, target.region, at))

    async def _sent(self, target: S3Target, keys: AwsKeys, request: OutboundRequest) -> Reply:
        headers = {**_PLAIN, **request.headers}
        reply = await self._upstream.send(replace(request, headers=headers))
        if 200 <= reply.status < 300:
            return reply
        async with reply:
            data = await read_refusal(reply)
        self._clock.correct(reply.headers)
        error = refused(self.name, reply, data, target.region, keys.secrets())
        raise self._restate(error)

    async def _json(self, reply: Reply) -> Answer:
        document = await parse_answer(await reply.read(UPSTREAM_ANSWER))
        if document is None:
            raise invalid_answer(f"{self.name} did not answer with JSON")
        return Answer(document)

    async def _xml(self, target: S3Target, reply: Reply) -> Any:
        data = await reply.read(UPSTREAM_ANSWER)
        if not data:
            return None
        try:
            root = await off_loop_if_long(data, parse_xml, data)
        except ValueError:
            raise invalid_answer(f"{self.name}: S3 sent no XML") from None
        if root.tag == "Error":  # with the status 200: bedrock.md section 5
            secrets = (await target.keys()).secrets()
            raise self._restate(error_despite_success(self.name, root, secrets))
        return root


async def _headers(reply: Reply) -> Mapping[str, str]:
    return reply.headers
