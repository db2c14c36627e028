"""The fake S3 refuses what S3 refuses."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

from tests.buckets import FakeS3, new_prefix
from tests.fakes.s3 import ACCESS_KEY_ID, BUCKET, SECRET_ACCESS_KEY
from tests.fakes.s3.moto_server import MotoServer

OURS = Credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str

    @property
    def code(self) -> str:
        """S3's own name of the error, or nothing."""
        return "".join(re.findall("<Code>(.*)</Code>", self.text))


class Client:
    def __init__(self, url: str, session: ClientSession) -> None:
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
            return Answer(reply.status, await reply.text())

    async def presigned(
        self,
        method: str,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: object = b"",
    ) -> Answer:
        return await self.send(method, presign(method, self.key + query, headers), headers, body)

    async def signed(self, method: str, query: str, body: bytes = b"") -> Answer:
        request = AWSRequest(method, self.key + query, {}, data=body)
        S3SigV4Auth(OURS, "s3", "us-east-1").add_auth(request)
        return await self.send(method, self.key + query, dict(request.headers), body)


def presign(
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    credentials: Credentials = OURS,
    expires: int = 60,
) -> str:
    request = AWSRequest(method, url, dict(headers or {}))
    S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires).add_auth(request)
    return str(request.url)


@pytest.fixture
async def client(s3: FakeS3) -> AsyncIterator[Client]:
    async with ClientSession() as session:
        yield Client(s3.url, session)


# --- signatures ------------------------------------------------------------------------------


async def test_what_is_signed_passes(client: Client) -> None:
    headers = {"x-amz-meta-a": "b", "If-None-Match": "*"}
    assert (await client.presigned("PUT", headers=headers, body=b"x")).status == 200
    assert (await client.presigned("PUT", headers=headers, body=b"x")).code == "PreconditionFailed"
    assert (await client.presigned("GET")).text == "x"
    assert (await client.signed("GET", "")).text == "x"


async def test_what_is_not_signed_is_refused(client: Client) -> None:
    assert (await client.send("GET", client.key)).code == "AccessDenied"
    assert (await client.send("PUT", client.key, body=b"x")).code == "AccessDenied"
    with_header = await client.send(
        "PUT", presign("PUT", client.key), {"x-amz-meta-a": "b"}, body=b"x"
    )
    assert with_header.code == "AccessDenied"
    without_header = await client.send(
        "PUT", presign("PUT", client.key, {"If-None-Match": "*"}), {}, body=b"x"
    )
    assert without_header.code == "AccessDenied"


async def test_what_was_signed_otherwise_is_refused(client: Client) -> None:
    url = presign("GET", client.key)
    for method, changed in (
        ("GET", url.replace("key?", "other?")),
        ("GET", url + "&versionId=1"),
        ("GET", url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")),
        ("DELETE", url),
    ):
        assert (await client.send(method, changed)).code == "SignatureDoesNotMatch"
    stranger = presign("GET", client.key, credentials=Credentials("AKIASTRANGER", "x"))
    assert (await client.send("GET", stranger)).code == "InvalidAccessKeyId"
    liar = presign("GET", client.key, credentials=Credentials(ACCESS_KEY_ID, "x"))
    assert (await client.send("GET", liar)).code == "SignatureDoesNotMatch"


async def test_another_body_than_was_signed_is_refused(client: Client) -> None:
    request = AWSRequest("PUT", client.key, {}, data=b"x")
    S3SigV4Auth(OURS, "s3", "us-east-1").add_auth(request)
    answer = await client.send("PUT", client.key, dict(request.headers), b"y")
    assert answer.code == "XAmzContentSHA256Mismatch"


async def test_a_presigned_url_expires(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=5)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: earlier)
    young, old = (presign("GET", client.key, expires=seconds) for seconds in (600, 60))
    assert (await client.send("GET", young)).code == "NoSuchKey"
    assert (await client.send("GET", old)).code == "AccessDenied"


# --- requests --------------------------------------------------------------------------------


async def chunked() -> AsyncIterator[bytes]:
    yield b"x"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({}, chunked, 501, "NotImplemented"),
        ({"x-amz-meta-a": "b" * 2048}, b"x", 400, "MetadataTooLarge"),
        ({"x-amz-meta-a": "b" * 2047}, b"x", 200, ""),
        ({"If-None-Match": '"etag"'}, b"x", 501, "NotImplemented"),
    ],
    ids=["chunked", "too much metadata", "just enough metadata", "a condition it has not"],
)
async def test_a_put_is_as_s3_wants_it(
    client: Client, headers: Mapping[str, str], body: object, status: int, code: str
) -> None:
    answer = await client.presigned("PUT", "", headers, body() if callable(body) else body)
    assert (answer.status, answer.code) == (status, code)


async def begin(client: Client) -> str:
    [upload] = re.findall(
        "<UploadId>(.*)</UploadId>", (await client.signed("POST", "?uploads")).text
    )
    return str(upload)


async def complete(client: Client, upload: str) -> Answer:
    listed = (await client.signed("GET", f"?uploadId={upload}")).text
    parts = zip(
        re.findall("<PartNumber>(.*?)</PartNumber>", listed),
        re.findall("<ETag>(.*?)</ETag>", listed),
        strict=True,
    )
    rows = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{e}</ETag></Part>" for n, e in parts)
    document = f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>"
    return await client.signed("POST", f"?uploadId={upload}", document.encode())


async def test_a_second_completion_finds_no_upload(client: Client) -> None:
    upload = await begin(client)
    part = f"?partNumber=1&uploadId={upload}"
    assert (await client.presigned("PUT", part, body=b"x")).status == 200
    assert (await complete(client, upload)).status == 200
    assert (await complete(client, upload)).code == "NoSuchUpload"
    assert (await client.presigned("PUT", part, body=b"x")).code == "NoSuchUpload"


@pytest.mark.parametrize("number", ["0", "10001", "x"])
async def test_a_part_has_a_number_within_bounds(client: Client, number: str) -> None:
    part = f"?partNumber={number}&uploadId={await begin(client)}"
    assert (await client.presigned("PUT", part, body=b"x")).code == "InvalidArgument"


async def test_a_part_before_the_last_is_not_small(client: Client) -> None:
    upload = await begin(client)
    for number in (1, 2):
        await client.presigned("PUT", f"?partNumber={number}&uploadId={upload}", body=b"x")
    assert (await complete(client, upload)).code == "EntityTooSmall"


async def test_moto_itself_lets_nobody_else_in() -> None:
    moto = MotoServer([BUCKET])
    try:
        async with ClientSession() as session:
            url = moto.origin / BUCKET
            headers = dict(moto.sign("GET", url, {}, b"").headers)
            async with session.get(url, headers=headers) as reply:
                assert reply.status == 200
            headers["Authorization"] = headers["Authorization"][:-8] + "0" * 8
            async with session.get(url, headers=headers) as reply:
                assert reply.status == 403
    finally:
        moto.stop()
