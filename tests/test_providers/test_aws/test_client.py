from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from tenacity import wait_none
from yarl import URL

from providers.aws.client import AwsClient
from providers.aws.keys import AwsKeys
from providers.aws.signing import BEDROCK
from providers.body import in_memory
from providers.errors import FerryError
from providers.observation import Unobserved
from providers.retries import Retries
from providers.status import Status
from providers.upstream import UpstreamError
from tests.test_providers.answering import answer
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_aws.targets import KEY, aws_target
from tests.test_providers.test_gemini.scripted_upstream import Answer, Failure, ScriptedUpstream

THROTTLED = answer({"message": "slow"}, 429, {"x-amzn-errortype": "ThrottlingException"})
OVER_QUOTA = answer({"message": "full"}, 400, {"x-amzn-errortype": "ServiceQuotaExceededException"})
BROKEN = Failure(UpstreamError(Status.UNAVAILABLE, "broke off"))
BUCKET = URL("https://bucket.test/key")


def client(*script: Answer | Failure) -> tuple[AwsClient, ScriptedUpstream]:
    upstream = ScriptedUpstream(*script)
    return AwsClient("bedrock", upstream, AT_ONCE), upstream


async def test_a_document_is_sent_and_received() -> None:
    aws, upstream = client(answer({"jobArn": "arn"}))
    made = await aws.json(await aws_target(), "POST", "/jobs", {"a": 1}, maxResults="2")
    assert made == {"jobArn": "arn"}
    (sent,) = upstream.sent
    assert str(sent.request.url) == "https://bedrock.eu-west-1.amazonaws.com/jobs?maxResults=2"
    assert orjson.loads(sent.body) == {"a": 1}
    assert sent.request.headers["Content-Type"] == "application/json"
    assert "Credential=AKIAOFSOMEBODY/" in sent.request.headers["Authorization"]
    assert "/eu-west-1/bedrock/aws4_request" in sent.request.headers["Authorization"]
    assert upstream.done


@pytest.mark.parametrize("failure", [THROTTLED, BROKEN, answer({}, 500), answer(b"no JSON")])
async def test_a_temporary_error_is_retried_with_the_same_body(failure: Answer | Failure) -> None:
    aws, upstream = client(failure, failure, answer({}))
    assert await aws.json(await aws_target(), "POST", "/jobs", {"token": "t"}) == {}
    assert [orjson.loads(sent.body) for sent in upstream.sent] == [{"token": "t"}] * 3
    assert upstream.done


async def test_the_third_failure_is_the_last() -> None:
    aws, upstream = client(THROTTLED, THROTTLED, THROTTLED)
    with pytest.raises(FerryError, match="slow") as refused:
        await aws.json(await aws_target(), "GET", "/jobs")
    assert refused.value.status == Status.RESOURCE_EXHAUSTED
    assert upstream.done


@pytest.mark.parametrize("refusal", [OVER_QUOTA, answer({}, 400), answer({}, 403), answer({}, 404)])
async def test_a_permanent_error_is_not_retried(refusal: Answer) -> None:
    aws, upstream = client(refusal)
    with pytest.raises(FerryError):
        await aws.json(await aws_target(), "GET", "/jobs")
    assert upstream.done


async def test_xml_comes_from_s3() -> None:
    aws, upstream = client(Answer(body=b"<A><B>text</B></A>"), Answer(204))
    root = await aws.xml(await aws_target(), "GET", BUCKET)
    assert root.findtext("B") == "text"
    assert await aws.xml(await aws_target(), "DELETE", BUCKET) is None
    assert all("/s3/" in sent.request.headers["Authorization"] for sent in upstream.sent)


async def test_an_error_with_the_status_200_is_an_error() -> None:
    failed = Answer(body=b"<Error><Code>InternalError</Code></Error>")
    aws, upstream = client(failed, Answer(body=b"<Done/>"))
    assert (await aws.xml(await aws_target(), "POST", BUCKET)).tag == "Done"
    aws, upstream = client(failed, failed, failed)
    with pytest.raises(FerryError, match="InternalError") as late:
        await aws.xml(await aws_target(), "POST", BUCKET)
    assert (late.value.status, late.value.reason) == (Status.UNAVAILABLE, "InternalError")
    assert upstream.done


@pytest.mark.parametrize(
    ("code", "status", "attempts"),
    [
        ("AccessDenied", Status.PERMISSION_DENIED, 1),
        ("NoSuchUpload", Status.NOT_FOUND, 1),
        ("SlowDown", Status.RESOURCE_EXHAUSTED, 3),
    ],
)
async def test_a_late_error_is_the_same_error(code: str, status: Status, attempts: int) -> None:
    late = Answer(body=f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode())
    aws, upstream = client(*[late] * attempts)
    with pytest.raises(FerryError, match=f"{code}: m") as refused:
        await aws.xml(await aws_target(), "POST", BUCKET)
    assert refused.value.status == status
    assert upstream.done


async def test_a_stream_is_sent_to_a_presigned_url_only_once() -> None:
    aws, upstream = client(Answer(503, body=b"<Error><Code>SlowDown</Code></Error>"))
    with pytest.raises(FerryError, match="SlowDown") as refused:
        await aws.put(await aws_target(), BUCKET, in_memory(b"bytes"), {"x-amz-meta-a": "b"})
    assert refused.value.status == Status.RESOURCE_EXHAUSTED
    (sent,) = upstream.sent
    assert sent.body == b"bytes"
    assert sent.request.url.query["X-Amz-SignedHeaders"] == "host;x-amz-meta-a"
    assert "Authorization" not in sent.request.headers
    assert upstream.done


async def test_a_stream_is_received_unchanged() -> None:
    aws, _ = client(Answer(body=b"\x00\x01"))
    async with await aws.open(await aws_target(), BEDROCK, "GET", BUCKET) as reply:
        assert [chunk async for chunk in reply.chunks()] == [b"\x00\x01"]


async def test_no_refusal_shows_the_signing_key() -> None:
    echo = answer({"message": f"you sent {KEY}"}, 403)
    aws, _ = client(echo)
    with pytest.raises(FerryError, match=r"\*\*\*") as refused:
        await aws.json(await aws_target(), "GET", "/jobs")
    assert not any(part in f"{refused.value!r}" for part in KEY.split(":"))


async def test_a_head_that_fails_is_sent_again() -> None:
    aws, upstream = client(Answer(503), BROKEN, Answer(headers={"ETag": "e"}))
    assert (await aws.head(await aws_target(), BUCKET))["ETag"] == "e"
    assert [sent.request.method for sent in upstream.sent] == ["HEAD"] * 3
    assert upstream.done


async def test_every_call_is_signed_with_the_keys_of_its_time() -> None:
    valid = iter(AwsKeys(f"AKIAOFCALL{number}", "secret") for number in range(4))

    async def refreshed() -> AwsKeys:
        return next(valid)

    aws, upstream = client(Answer(204), Answer(204), answer({}))
    target = await aws_target(own_keys=refreshed)
    for _ in range(2):
        await aws.xml(target, "DELETE", BUCKET)
    await aws.json(target, "GET", "/jobs")
    signed_by = [sent.request.headers["Authorization"] for sent in upstream.sent]
    assert ["AKIAOFCALL1/" in signed_by[0], "AKIAOFCALL2/" in signed_by[1]] == [True, True]
    assert "AKIAOFCALL3/" in signed_by[2]


async def test_a_refusal_may_have_another_message() -> None:
    class Restated(FerryError):
        def __init__(self, refused: FerryError) -> None:
            super().__init__(refused.status, "refused", reason=refused.reason)

    refusals = Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>"), answer({}, 403)
    late = Answer(body=b"<Error><Code>AccessDenied</Code></Error>")
    upstream = ScriptedUpstream(refusals[0], refusals[1], late)
    aws = AwsClient("bedrock", upstream, AT_ONCE, restate=Restated)
    for call in (
        aws.xml(await aws_target(), "DELETE", BUCKET),
        aws.put(await aws_target(), BUCKET, in_memory(b"")),
        aws.xml(await aws_target(), "POST", BUCKET),
    ):
        with pytest.raises(Restated) as restated:
            await call
        assert restated.value.status == Status.PERMISSION_DENIED
    assert upstream.done


async def test_each_retry_is_told_to_the_observer() -> None:
    class Counting(Unobserved):
        retries = 0

        def call_retried(self) -> None:
            self.retries += 1

    observer = Counting()
    upstream = ScriptedUpstream(THROTTLED, BROKEN, answer({}))
    aws = AwsClient("bedrock", upstream, Retries(observer, wait_none()))
    await aws.json(await aws_target(), "GET", "/jobs")
    assert observer.retries == 2


def refused_by_clock(time: datetime) -> Answer:
    headers = {"x-amzn-errortype": "InvalidSignatureException", "Date": format_datetime(time)}
    return answer({"message": "Signature expired"}, 403, headers)


@pytest.mark.parametrize("minutes", [10, -10, 60 * 24 * 400])
async def test_a_wrong_clock_is_corrected_by_the_refusal(minutes: int) -> None:
    theirs = datetime.now(UTC) + timedelta(minutes=minutes)
    aws, upstream = client(refused_by_clock(theirs), answer({}), answer({}))
    for _ in range(2):
        assert await aws.json(await aws_target(), "GET", "/jobs") == {}
    stamps = [sent.request.headers["X-Amz-Date"] for sent in upstream.sent]
    wrong, *right = (datetime.strptime(f"{each}+0000", "%Y%m%dT%H%M%SZ%z") for each in stamps)
    assert abs(wrong - datetime.now(UTC)) < timedelta(minutes=1)
    assert all(abs(each - theirs) < timedelta(minutes=1) for each in right)
    assert upstream.done


@pytest.mark.parametrize("headers", [{}, {"Date": "soon"}, {"Date": "Mon, 99 Jan 99999 0:0:0 GMT"}])
async def test_a_refusal_without_a_time_corrects_nothing(headers: dict[str, str]) -> None:
    aws, upstream = client(answer({}, 403, headers), answer({}))
    with pytest.raises(FerryError):
        await aws.json(await aws_target(), "GET", "/jobs")
    assert not upstream.done


async def test_a_refusal_at_the_right_time_is_final() -> None:
    aws, upstream = client(refused_by_clock(datetime.now(UTC) + timedelta(minutes=2)))
    with pytest.raises(FerryError, match="Signature expired"):
        await aws.json(await aws_target(), "GET", "/jobs")
    assert upstream.done


async def test_a_presigned_url_has_the_corrected_time() -> None:
    theirs = datetime.now(UTC) - timedelta(hours=1)
    aws, upstream = client(refused_by_clock(theirs), answer({}), Answer(200, {"ETag": "e"}))
    await aws.json(await aws_target(), "GET", "/jobs")
    await aws.put(await aws_target(), BUCKET, in_memory(b"content"))
    stamp = upstream.sent[-1].request.url.query["X-Amz-Date"]
    at = datetime.strptime(f"{stamp}+0000", "%Y%m%dT%H%M%SZ%z")
    assert abs(at - theirs) < timedelta(minutes=1)
