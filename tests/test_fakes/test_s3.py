"""The fake S3 refuses what S3 refuses."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.buckets import FakeS3
from tests.fakes.s3 import ACCESS_KEY_ID, BUCKET, FILES_BUCKET
from tests.fakes.s3.moto_server import MotoServer

from .s3_client import OURS, Answer, Client, presign

# --- lists -----------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["i", "0" * 32])
async def test_a_token_of_no_list_is_refused(client: Client, token: str) -> None:
    url = f"{client.url}/{FILES_BUCKET}?continuation-token={token}&list-type=2"
    answer = await client.signed_at(url)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


# --- signatures ------------------------------------------------------------------------------


async def test_a_signed_request_passes(client: Client) -> None:
    headers = {"x-amz-meta-a": "b", "If-None-Match": "*"}
    assert (await client.presigned("PUT", headers=headers, body=b"x")).status == 200
    assert (await client.presigned("PUT", headers=headers, body=b"x")).code == "PreconditionFailed"
    assert (await client.presigned("GET")).text == "x"
    assert (await client.signed("GET", "")).text == "x"


async def test_a_request_with_an_unsigned_header_is_refused(client: Client) -> None:
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


async def test_a_request_that_differs_from_what_was_signed_is_refused(client: Client) -> None:
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


async def test_a_body_other_than_the_signed_one_is_refused(client: Client) -> None:
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
async def test_a_put_has_the_headers_that_s3_requires(
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


async def test_a_part_before_the_last_has_a_minimum_size(client: Client) -> None:
    upload = await begin(client)
    for number in (1, 2):
        await client.presigned("PUT", f"?partNumber={number}&uploadId={upload}", body=b"x")
    assert (await complete(client, upload)).code == "EntityTooSmall"


async def test_a_completion_can_fail_within_a_200(client: Client, s3: FakeS3) -> None:
    error = "<Error><Code>InternalError</Code></Error>"
    match = {"method": "POST", "path": client.key.removeprefix(client.url), "query": "uploadId"}
    head = {"Content-Type": "application/xml"}
    await s3.arm(match, "status", status=200, headers=head, body=error)
    upload = await begin(client)
    await client.presigned("PUT", f"?partNumber=1&uploadId={upload}", body=b"x")
    answer = await complete(client, upload)
    assert (answer.status, answer.code) == (200, "InternalError")
    assert (await complete(client, upload)).code == ""


async def test_a_copy_is_made_without_a_download(client: Client, files: str) -> None:
    assert (await client.signed_at(f"{files}a", "PUT", b"abc")).status == 200
    source = {"x-amz-copy-source": f"{files}a".removeprefix(client.url)}
    assert (await client.signed_at(f"{files}b", "PUT", headers=source)).status == 200
    assert (await client.signed_at(f"{files}b")).text == "abc"


async def test_a_list_has_pages_and_encoded_keys(client: Client, files: str) -> None:
    for name in ("a%20b", "c%26d", "e"):
        assert (await client.signed_at(f"{files}{name}", "PUT", b"x")).status == 200
    prefix = files.removeprefix(f"{client.url}/{FILES_BUCKET}/")
    bucket = f"{client.url}/{FILES_BUCKET}?encoding-type=url&list-type=2&max-keys=2"
    asked = f"{bucket}&prefix={quote(prefix, safe='')}"
    first = (await client.signed_at(asked)).text
    assert re.findall("<Key>[^<]*/([^<]*)</Key>", first) == ["a%20b", "c%26d"]
    [token] = re.findall("<NextContinuationToken>([^<]*)</NextContinuationToken>", first)
    second = (await client.signed_at(f"{asked}&continuation-token={quote(token, safe='')}")).text
    assert re.findall("<Key>[^<]*/([^<]*)</Key>", second) == ["e"]
    assert "<IsTruncated>false</IsTruncated>" in second


async def test_moto_itself_accepts_only_the_front() -> None:
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
