import pytest

from providers.aws.client import AwsClient
from providers.aws.s3 import S3
from providers.bedrock.batch_target import InputObject
from providers.errors import FerryError
from providers.status import Status
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_aws.targets import aws_target
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream


async def input_object(*script: Answer) -> tuple[InputObject, ScriptedUpstream]:
    upstream = ScriptedUpstream(*script)
    store = S3(AwsClient("bedrock", upstream, AT_ONCE))
    return InputObject(store, await aws_target(), "requests.jsonl"), upstream


async def read(source: InputObject) -> bytes:
    async with source.opened() as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_it_is_the_same_content_each_time() -> None:
    source, upstream = await input_object(
        Answer(headers={"ETag": '"e1"'}, body=b"lines"), Answer(body=b"lines")
    )
    assert [await read(source), await read(source)] == [b"lines", b"lines"]
    asked = [sent.request.headers.get("If-Match") for sent in upstream.sent]
    assert asked == [None, '"e1"']
    assert upstream.done


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(404, body=b"<Error><Code>NoSuchKey</Code></Error>"), Status.NOT_FOUND),
        (Answer(412, body=b"<Error><Code>PreconditionFailed</Code></Error>"), Status.ABORTED),
        (Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>"), Status.PERMISSION_DENIED),
        (Answer(404, body=b"<Error><Code>NoSuchBucket</Code></Error>"), Status.NOT_FOUND),
    ],
)
async def test_the_error_for_an_unreadable_file(answer: Answer, status: Status) -> None:
    source, upstream = await input_object(answer)
    with pytest.raises(FerryError) as refused:
        await read(source)
    assert refused.value.status == status
    assert upstream.done
