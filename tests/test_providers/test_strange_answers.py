"""Any value in a provider's answer is read, or is the provider's fault: never an error of ours."""

import copy
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import orjson
import pytest

from middlewares.rendering import render_batch, render_file, render_model
from providers.anthropic.batch_records import from_anthropic_batch
from providers.anthropic.files import from_anthropic_file
from providers.anthropic.models import from_anthropic_model
from providers.aws.errors import parse_xml
from providers.aws.s3 import _described, _listed
from providers.batches.batch_records import BatchRecord
from providers.bedrock.jobs.job_records import folder_of, from_bedrock_job
from providers.bedrock.models import from_foundation_model, from_profile
from providers.gemini.isolated_relay import _read_page
from providers.gemini.owned_resources import result_files
from providers.json_api.client import Answer
from providers.json_api.json_text import parse_object
from providers.limits import XML_BYTES, XML_DEPTH, XML_ELEMENTS
from providers.mistral.files import MistralFileApi
from providers.mistral.job_records import from_mistral_job
from providers.mistral.models import from_mistral_model
from providers.openai.batch_records import from_openai_batch
from providers.openai.files import from_openai_file
from providers.openai.models import from_openai_model
from providers.resources import Batch, File, Model
from providers.tenancy.ownership import ResourceKind
from providers.upstream import UpstreamError

Read: TypeAlias = Callable[[Any], object]

STRANGE: list[Any] = [
    None, True, -1, 0, 0.5, 1e300, 2**53, 2**63, 10**300, -(10**300), "", " ", "a" * 10_000, "\x00",
    "ä\u2028", "9" * 5_000, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-00-00",
    "Mon, 01 Jan 0001 00:00:00 +1400", "Fri, 31 Dec 9999 23:59:59 -1400", "-1", "1.5", "../..",
    "s3://", "s3://[", "gf-" + "0" * 32, [], [None], [[]], {}, {"a": {}}, [{"message": {}}],
    {"data": [None, {"line": 10**300, "message": {}}]},
]  # fmt: skip

METADATA = {"ferry_job": "0" * 32, "ferry_model": "m", "ferry_warnings_1": "a;count=1"}
OPENAI_BATCH = {
    "id": "batch_1", "endpoint": "/v1/chat/completions", "status": "failed", "model": "m",
    "created_at": 1, "in_progress_at": 2, "failed_at": 3, "metadata": METADATA,
    "request_counts": {"total": 3, "completed": 1, "failed": 1},
    "errors": {"data": [{"code": "c", "message": "m", "line": 1}]},
}  # fmt: skip
MISTRAL_JOB = {
    "id": "00000000-0000-0000-0000-000000000000", "endpoint": "/v1/embeddings", "status": "FAILED",
    "model": "m", "created_at": 1, "started_at": 2, "completed_at": 3, "metadata": METADATA,
    "total_requests": 3, "succeeded_requests": 1, "failed_requests": 2,
    "errors": [{"message": "m", "count": 2}],
}  # fmt: skip
ANTHROPIC_BATCH = {
    "id": "msgbatch_1", "processing_status": "ended", "created_at": "2026-01-01T00:00:00Z",
    "ended_at": "2026-01-02T00:00:00Z", "cancel_initiated_at": "2026-01-01T00:00:00Z",
    "results_url": "https://a/b",
    "request_counts": {"processing": 0, "succeeded": 1, "errored": 1, "canceled": 1, "expired": 1},
}  # fmt: skip
BEDROCK_JOB = {
    "jobArn": "arn:aws:bedrock:us-east-1:1:model-invocation-job/abcdefghijkl", "status": "Expired",
    "jobName": "gf-" + "0" * 32, "modelId": "m", "message": "m", "submitTime": "2026-01-01T00:00Z",
    "endTime": "2026-01-01T00:00Z", "totalRecordCount": 3, "successRecordCount": 1,
    "errorRecordCount": 1, "processedRecordCount": 2,
    "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://b/jobs/" + "0" * 32 + "/i"}},
}  # fmt: skip
FILE = {
    "id": "file-1", "filename": "a", "bytes": 1, "created_at": 1, "expires_at": 2,
    "status": "error", "status_details": "d", "purpose": "batch", "mimetype": "text/plain",
}  # fmt: skip
ANTHROPIC_FILE = {
    "id": "file_1", "filename": "a", "size_bytes": 1, "mime_type": "a/b", "downloadable": True,
    "created_at": "2026-01-01T00:00:00Z",
}  # fmt: skip

MODEL = {
    "id": "m", "display_name": "M", "name": "M", "description": "d", "max_context_length": 2,
    "max_input_tokens": 2, "max_tokens": 1, "default_model_temperature": 0.3,
    "capabilities": {"completion_chat": True, "batch": {"supported": True}, "thinking": {}},
}  # fmt: skip
BEDROCK_MODEL = {
    "modelId": "a.m-v1:0", "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/a.m-v1:0",
    "modelName": "M", "outputModalities": ["TEXT", "EMBEDDING"],
    "responseStreamingSupported": True, "inferenceTypesSupported": ["ON_DEMAND"],
}  # fmt: skip
PROFILE = {
    "inferenceProfileId": "us.a.m-v1:0", "inferenceProfileName": "M", "description": "d",
    "inferenceProfileArn": "arn:aws:bedrock:us-east-1:1:application-inference-profile/a",
    "type": "APPLICATION", "models": [{"modelArn": BEDROCK_MODEL["modelArn"]}],
}  # fmt: skip


def a_batch(read: Callable[[Answer], Batch]) -> Read:
    return lambda native: orjson.dumps(render_batch(read(Answer(native)), None))


def a_file(read: Callable[[Answer, None], File]) -> Read:
    return lambda native: orjson.dumps(render_file(read(Answer(native), None), "http://a"))


def bedrock(native: Answer) -> Batch:
    folder_of(native)
    return from_bedrock_job(native, BatchRecord())


GOOGLE_LIST = {
    "operations": [{"name": "batches/a", "metadata": {"output": {"responsesFile": "files/b"}}}],
    "nextPageToken": "a",
}


def google_list(document: dict[str, Any]) -> object:
    page = _read_page(document, ResourceKind.BATCHES)
    assert isinstance(page.next_page_token, str | None)
    return [list(result_files(item.document)) for item in page.items]


def a_model(read: Callable[[Answer], Model]) -> Read:
    return lambda native: orjson.dumps(render_model(read(Answer(native))))


def a_profile(native: dict[str, Any]) -> object:
    models = [Answer(model) for model in [native.get("model")] if isinstance(model, dict)]
    profile = native.get("profile")
    found = from_profile(Answer(profile if isinstance(profile, dict) else {}), models)
    return orjson.dumps(render_model(found))


READERS: dict[str, tuple[Read, dict[str, Any]]] = {
    "openai batch": (a_batch(from_openai_batch), OPENAI_BATCH),
    "mistral job": (a_batch(from_mistral_job), MISTRAL_JOB),
    "anthropic batch": (a_batch(lambda n: from_anthropic_batch(n, BatchRecord())), ANTHROPIC_BATCH),
    "bedrock job": (a_batch(bedrock), BEDROCK_JOB),
    "openai file": (a_file(from_openai_file), FILE),
    "mistral file": (a_file(MistralFileApi.__new__(MistralFileApi).file), FILE),
    "anthropic file": (a_file(from_anthropic_file), ANTHROPIC_FILE),
    "google's list": (google_list, GOOGLE_LIST),
    "openai model": (a_model(from_openai_model), MODEL),
    "mistral model": (a_model(from_mistral_model), MODEL),
    "anthropic model": (a_model(from_anthropic_model), MODEL),
    "bedrock model": (a_model(from_foundation_model), BEDROCK_MODEL),
    "bedrock profile": (a_profile, {"profile": PROFILE, "model": BEDROCK_MODEL}),
}


def changed(sample: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sample with each of its values replaced by each strange one, and without it."""
    for path in _paths(sample):
        for value in [*STRANGE, ...]:
            document = copy.deepcopy(sample)
            holder: Any = document
            for step in path[:-1]:
                holder = holder[step]
            if value is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            yield document


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    match value:
        case dict():
            inner = list(value.items())
        case list():
            inner = list(enumerate(value))
        case _:
            inner = []
    for key, child in inner:
        yield from _paths(child, (*path, key))


def check(read: Read, native: Any) -> None:
    """It is read, or it is refused as the upstream's fault."""
    try:
        read(native)
    except UpstreamError as error:
        code = error.code
    else:
        code = 200
    assert code in (200, 503)


@pytest.mark.parametrize("name", READERS)
def test_a_strange_value_is_read_or_is_the_upstreams_fault(name: str) -> None:
    read, sample = READERS[name]
    read(sample)
    for native in changed(sample):
        check(read, native)


HEADERS = {
    "content-length": "1",
    "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
    "content-type": "a/b",
    "x-amz-meta-a": "b",
}
LISTED = (
    "<Contents><Key>{Key}</Key><Size>{Size}</Size><LastModified>{LastModified}</LastModified>"
    "</Contents>"
)
OBJECT = {"Key": "a", "Size": "1", "LastModified": "2026-01-01T00:00:00Z"}
TEXTS = [text for text in STRANGE if isinstance(text, str) and "\x00" not in text]


def s3_headers(headers: Mapping[str, str]) -> object:
    return _described("key", headers)


def s3_element(members: Mapping[str, str]) -> object:
    return _listed(parse_xml(LISTED.format(**members).encode()), encoded=True)


@pytest.mark.parametrize(
    ("read", "sample"), [(s3_headers, HEADERS), (s3_element, OBJECT)], ids=["headers", "element"]
)
def test_strange_texts_of_s3(read: Read, sample: dict[str, str]) -> None:
    read(sample)
    for name in sample:
        for text in TEXTS:
            check(read, {**sample, name: text})


@pytest.mark.parametrize("digits", [300, 309, 5_000])
def test_a_long_number_is_no_error_of_ours(digits: int) -> None:
    text = b'{"id":"batch_1","created_at":' + b"9" * digits + b"}"
    document = parse_object(text)
    assert (document is None) == (digits > 308)


# --- bounds of XML --------------------------------------------------------------------------------


def nested(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def wide(elements: int) -> bytes:
    return b"<a>" + b"<b/>" * (elements - 1) + b"</a>"


@pytest.mark.parametrize(("text", "limit"), [(nested, XML_DEPTH), (wide, XML_ELEMENTS)])
def test_xml_at_a_limit_is_read_and_over_it_is_not(
    text: Callable[[int], bytes], limit: int
) -> None:
    assert parse_xml(text(limit)).tag == "a"
    with pytest.raises(ValueError, match="not the XML of S3"):
        parse_xml(text(limit + 1))


def test_xml_with_many_bytes_is_not_read() -> None:
    assert parse_xml(b"<a>" + b" " * (XML_BYTES - 7) + b"</a>").tag == "a"
    with pytest.raises(ValueError, match="not the XML of S3"):
        parse_xml(b"<a>" + b" " * (XML_BYTES - 6) + b"</a>")


def test_endless_xml_is_left_after_the_limit() -> None:
    """No tree of it is built: a tree of 2,000,000 elements takes 200 MB."""
    text = wide(2_000_000)
    tracemalloc.start()
    with pytest.raises(ValueError, match="not the XML of S3"):
        parse_xml(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


@pytest.mark.parametrize(
    "text",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<!DOCTYPE a><a/>",
    ],
)
def test_a_document_type_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="not the XML of S3"):
        parse_xml(text)
