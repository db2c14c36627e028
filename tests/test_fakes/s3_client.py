"""A client of the fake S3 whose signatures tests can change."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientSession
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from tests.buckets import new_prefix
from tests.fakes.s3 import ACCESS_KEY_ID, BUCKET, SECRET_ACCESS_KEY

OURS = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """S3's code of the error, or an empty text."""
        return "".join(re.findall("<Code>(.*)</Code>", self.text))


class Client:
    def __init__(self, url: str, session: ClientSession) -> None:
        self.url = url
        self.key = f"{url}/{BUCKET}/{new_prefix()}key"
        self._session = session

    async def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: object = None
    ) -> Answer:
        async with self._session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body,
            skip_auto_headers=["Content-Type"],
        ) as reply:
            kept = {name.lower(): value for name, value in reply.headers.items()}
            return Answer(reply.status, await reply.text(), kept)

    async def presigned(
        self,
        method: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: object = b"",
    ) -> Answer:
        return await self.send(method, presign(method, self.key + query, headers), headers, body)

    async def signed(self, method: str, query: str, body: bytes = b"") -> Answer:
        return await self.signed_at(self.key + query, method, body)

    async def signed_at(
        self,
        url: str,
        method: str = "GET",
        body: bytes = b"",
        *,
        region: str = "us-east-1",
        credentials: Credentials = OURS,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        request = AWSRequest(method, url, dict(headers or {}), data=body)
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
        return await self.send(method, url, dict(request.headers), body)


def presign(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    credentials: Credentials = OURS,
    expires: int = 60,
    region: str = "us-east-1",
) -> str:
    request = AWSRequest(method, url, dict(headers or {}))
    S3SigV4QueryAuth(credentials, "s3", region, expires).add_auth(request)
    return str(request.url)
