from datetime import UTC, datetime

import pytest

from providers.aws.client import AwsClient
from providers.aws.folder import Folder
from providers.aws.s3 import S3, StoredObject
from providers.multipart_uploads import Part
from providers.upstream import UpstreamError
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_aws.targets import aws_target
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

FOLDER = Folder("bucket", "some/prefix/")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def s3(*script: Answer) -> tuple[S3, ScriptedUpstream]:
    upstream = ScriptedUpstream(*script)
    return S3(AwsClient("bedrock", upstream, AT_ONCE)), upstream


def listing(
    *keys: str, more: str = "", encoded: str = "<EncodingType>url</EncodingType>"
) -> Answer:
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>5</Size>"
        "<LastModified>2026-11-26T12:00:00.000Z</LastModified></Contents>"
        for key in keys
    )
    ending = f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
    token = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    content = f"{encoded}{contents}{ending}{token}"
    text = f'<ListBucketResult xmlns="{namespace}">{content}</ListBucketResult>'
    return Answer(body=text.encode())


async def test_an_object_is_described_by_its_headers() -> None:
    headers = {
        "Content-Length": "71",
        "Content-Type": "application/jsonl",
        "Last-Modified": "Thu, 26 Nov 2026 12:00:00 GMT",
        "X-Amz-Meta-Display-Name": "a name",
    }
    store, upstream = s3(Answer(headers=headers), Answer(404))
    found = await store.head(await aws_target(), "bucket", "a/b c")
    assert found == StoredObject("a/b c", 71, NOON, "application/jsonl", {"display-name": "a name"})
    assert await store.head(await aws_target(), "bucket", "none") is None
    assert str(upstream.sent[0].request.url).endswith("amazonaws.com/a/b%20c")
    assert upstream.done


async def test_keys_of_any_text_are_listed() -> None:
    store, upstream = s3(listing("some/prefix/a%20b%2Bc", "some/prefix/%C3%A9", more="to/ken+="))
    listed, token = await store.page(await aws_target(), FOLDER, 2)
    assert [one.key for one in listed] == ["some/prefix/a b+c", "some/prefix/é"]
    assert [(one.size, one.modified) for one in listed] == [(5, NOON)] * 2
    assert token == "to/ken+="
    query = upstream.sent[0].request.url.query
    assert (query["prefix"], query["max-keys"]) == ("some/prefix/", "2")


async def test_a_store_that_does_not_encode_keys_is_read_correctly() -> None:
    store, _ = s3(listing("a%20b", encoded=""))
    listed, token = await store.page(await aws_target(), FOLDER)
    assert ([one.key for one in listed], token) == (["a%20b"], None)


async def test_all_pages_are_read() -> None:
    store, upstream = s3(listing("a", more="next"), listing("b"))
    assert [one.key async for one in store.each(await aws_target(), FOLDER)] == ["a", "b"]
    assert upstream.sent[1].request.url.query["continuation-token"] == "next"


async def test_a_list_that_never_ends_is_refused() -> None:
    store, _ = s3(listing(more="next"), listing(more="next"))
    with pytest.raises(UpstreamError, match="same page"):
        _ = [one async for one in store.each(await aws_target(), FOLDER)]


async def test_a_truncated_list_without_a_token_is_an_error() -> None:
    cut = listing("a").body.replace(b"false", b"true")
    store, _ = s3(Answer(body=cut))
    with pytest.raises(UpstreamError, match="NextContinuationToken"):
        await store.page(await aws_target(), FOLDER)


async def test_parts_that_never_end_are_refused() -> None:
    page = b"<R><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker></R>"
    store, _ = s3(Answer(body=page), Answer(body=page))
    with pytest.raises(UpstreamError, match="same page"):
        _ = [part async for part in store.parts(await aws_target(), "bucket", "key", "up", after=1)]


async def test_all_pages_of_unfinished_uploads_are_read() -> None:
    page = (
        "<R><Upload><Key>some/prefix/{key}</Key><UploadId>{key}-id</UploadId>"
        "<Initiated>2026-01-01T12:00:00.000Z</Initiated></Upload>{more}</R>"
    )
    more = (
        "<IsTruncated>true</IsTruncated><NextKeyMarker>some/prefix/a</NextKeyMarker>"
        "<NextUploadIdMarker>a-id</NextUploadIdMarker>"
    )
    store, upstream = s3(
        Answer(body=page.format(key="a", more=more).encode()),
        Answer(body=page.format(key="b", more="").encode()),
    )
    listed = [found async for found in store.uploads(await aws_target(), FOLDER)]
    assert [(one.key, one.id) for one in listed] == [
        ("some/prefix/a", "a-id"),
        ("some/prefix/b", "b-id"),
    ]
    query = upstream.sent[1].request.url.query
    assert (query["key-marker"], query["upload-id-marker"]) == ("some/prefix/a", "a-id")
    endless = [Answer(body=page.format(key="a", more=more).encode())] * 2
    store, _ = s3(*endless)
    with pytest.raises(UpstreamError, match="same page"):
        _ = [found async for found in store.uploads(await aws_target(), FOLDER)]


async def test_parts_are_listed_with_their_etags() -> None:
    page = (
        "<R><Part><PartNumber>2</PartNumber><Size>8</Size><ETag>&quot;e2&quot;</ETag></Part>"
        "<IsTruncated>{more}</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker></R>"
    )
    store, upstream = s3(
        Answer(body=page.format(more="true").encode()),
        Answer(body=page.format(more="false").encode()),
    )
    listed = [
        found async for found in store.parts(await aws_target(), "bucket", "key", "up", after=1)
    ]
    assert listed == [(Part(2, 8), '"e2"')] * 2
    markers = [sent.request.url.query["part-number-marker"] for sent in upstream.sent]
    assert markers == ["1", "2"]


async def test_an_object_is_completed_from_its_parts() -> None:
    store, upstream = s3(Answer(body=b"<CompleteMultipartUploadResult/>"))
    await store.complete(await aws_target(), "bucket", "key", "up", ['"e<1"', '"e2"'])
    assert upstream.sent[0].body == (
        b"<CompleteMultipartUpload>"
        b'<Part><PartNumber>1</PartNumber><ETag>"e&lt;1"</ETag></Part>'
        b'<Part><PartNumber>2</PartNumber><ETag>"e2"</ETag></Part>'
        b"</CompleteMultipartUpload>"
    )


async def test_an_aborted_upload_may_be_gone() -> None:
    store, upstream = s3(Answer(404, body=b"<Error><Code>NoSuchUpload</Code></Error>"))
    await store.abort(await aws_target(), "bucket", "key", "up")
    assert upstream.done


async def test_a_copy_names_its_source() -> None:
    store, upstream = s3(Answer(body=b"<CopyObjectResult/>"))
    await store.copy(await aws_target(), ("bucket", "a b/c"), ("bucket", "d"))
    assert upstream.sent[0].request.headers["x-amz-copy-source"] == "bucket/a%20b/c"


async def test_only_the_same_content_is_opened_again() -> None:
    store, upstream = s3(Answer(), Answer())
    await store.open(await aws_target(), "bucket", "key")
    await store.open(await aws_target(), "bucket", "key", '"etag"')
    assert [sent.request.headers.get("If-Match") for sent in upstream.sent] == [None, '"etag"']


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no XML",
        b"<Other/>",
        b"<ListBucketResult><Contents><Size>5</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>k</Key><Size>five</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>k</Key><Size>"
        + b"9" * 5000
        + b"</Size></Contents></ListBucketResult>",
    ],
)
async def test_an_unreadable_answer_is_the_upstreams_fault(body: bytes) -> None:
    store, _ = s3(*[Answer(body=body)] * 3)
    with pytest.raises(UpstreamError):
        await store.page(await aws_target(), FOLDER)
