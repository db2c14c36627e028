"""The buckets, key pairs and region of the fake S3."""

import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials

from tests.buckets import FakeS3
from tests.fakes.aws_keys import EXPIRED_SESSION_TOKEN, LONG_TERM, TEMPORARY, KeyPair
from tests.fakes.s3 import BUCKET, FILES_BUCKET

from .s3_client import Client, presign

# --- buckets ---------------------------------------------------------------------------------


async def test_buckets_are_separate(client: Client, s3: FakeS3) -> None:
    key = client.key.removeprefix(f"{client.url}/{BUCKET}/")
    assert (await client.signed("PUT", "", b"x")).status == 200
    there = f"{client.url}/{FILES_BUCKET}/{key}"
    assert (await client.signed_at(there)).code == "NoSuchKey"
    assert (await client.signed_at(there, "PUT", b"yy")).status == 200
    assert (await client.signed("GET", "")).text == "x"
    shown = await client.send("GET", f"{client.url}/_fake/objects")
    listed = json.loads(shown.text)
    assert (key in listed["objects"], key in listed["files"]) == (True, True)
    found = await client.send("GET", f"{client.url}/_fake/files/{key}/sha256")
    assert json.loads(found.text)["sha256"] == hashlib.sha256(b"yy").hexdigest()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("query", ["", "?partNumber=1&uploadId=x"])
async def test_another_bucket_does_not_exist(client: Client, method: str, query: str) -> None:
    answer = await client.signed_at(f"{client.url}/no-such-bucket/key{query}", method)
    assert (answer.status, answer.code) == (404, "NoSuchBucket")


async def test_a_refused_head_has_no_body(client: Client) -> None:
    absent = await client.signed("HEAD", "")
    assert (absent.status, absent.text) == (404, "")
    stranger = Credentials("AKIASTRANGER", "x")
    refused = await client.signed_at(client.key, "HEAD", credentials=stranger)
    assert (refused.status, refused.text) == (403, "")


# --- key pairs and regions -------------------------------------------------------------------


def credentials_of(pair: KeyPair) -> Credentials:
    """Credentials as a client has them, with the token that it sends."""
    return Credentials(pair.access_key_id, pair.secret_access_key, pair.session_token)


@pytest.mark.parametrize(
    ("pair", "status", "code"),
    [
        (TEMPORARY, 404, "NoSuchKey"),
        (replace(TEMPORARY, session_token=None), 403, "InvalidAccessKeyId"),
        (replace(TEMPORARY, session_token="wrong"), 400, "InvalidToken"),
        (replace(TEMPORARY, session_token=EXPIRED_SESSION_TOKEN), 400, "ExpiredToken"),
        (replace(LONG_TERM, session_token="wrong"), 400, "InvalidToken"),
    ],
    ids=["temporary", "without token", "wrong token", "expired token", "token too many"],
)
async def test_a_token_belongs_to_its_key(
    client: Client, pair: KeyPair, status: int, code: str
) -> None:
    credentials = credentials_of(pair)
    in_header = await client.signed_at(client.key, credentials=credentials)
    in_url = await client.send("GET", presign("GET", client.key, credentials=credentials))
    assert (in_header.status, in_header.code) == (status, code)
    assert (in_url.status, in_url.code) == (status, code)


async def test_a_session_token_is_signed(client: Client) -> None:
    without = replace(TEMPORARY, session_token=None)
    url = presign("GET", client.key, credentials=credentials_of(without))
    token = quote(str(TEMPORARY.session_token), safe="")
    added = await client.send("GET", f"{url}&X-Amz-Security-Token={token}")
    assert added.code == "SignatureDoesNotMatch"


async def test_the_error_for_another_region_names_the_right_one(client: Client) -> None:
    in_header = await client.signed_at(client.key, region="eu-west-1")
    assert (in_header.status, in_header.code) == (400, "AuthorizationHeaderMalformed")
    in_url = await client.send("GET", presign("GET", client.key, region="eu-west-1"))
    assert (in_url.status, in_url.code) == (400, "AuthorizationQueryParametersError")
    for answer in (in_header, in_url):
        assert answer.headers["x-amz-bucket-region"] == "us-east-1"
        assert "<Region>us-east-1</Region>" in answer.text
        found = re.findall("the region '(.*?)' is wrong; expecting '(.*?)'", unescape(answer.text))
        assert found == [("eu-west-1", "us-east-1")]
