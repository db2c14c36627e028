import pytest

from providers.aws.client import AwsClient
from providers.aws.folder import Folder
from providers.aws.s3 import S3
from providers.bedrock.jobs.job_media import Media, media_suffix
from providers.errors import FerryError, not_found
from providers.resource_names import object_file_id
from providers.status import Status
from tests.test_providers.retrying import AT_ONCE
from tests.test_providers.test_aws.targets import aws_target
from tests.test_providers.test_gemini.scripted_upstream import Answer, ScriptedUpstream

FOLDER = Folder("bucket", "p/")
BESIDE = Folder("bucket", "p/genai-ferry/job/input/")
CAT, DOG = object_file_id("cat.png"), object_file_id("pets/dog.jpeg")
ABSENT = Answer(404, body=b"<Error><Code>NoSuchKey</Code></Error>")


def s3(*script: Answer) -> tuple[S3, ScriptedUpstream]:
    upstream = ScriptedUpstream(*script)
    return S3(AwsClient("bedrock", upstream, AT_ONCE)), upstream


def test_a_jobs_media_are_next_to_its_input() -> None:
    media = Media(FOLDER, BESIDE)
    first = media.uri(f"https://ferry.test/genai/v1beta/files/{CAT}", "requests[0]")
    second = media.uri(f"files/{DOG}", "requests[1]")
    assert first == "s3://bucket/p/genai-ferry/job/input/media-0.png"
    assert second == "s3://bucket/p/genai-ferry/job/input/media-1.jpeg"
    assert media.uri(f"files/{CAT}", "requests[2]") == first
    assert media.paths == {"p/cat.png": "requests[0]", "p/pets/dog.jpeg": "requests[1]"}


def test_the_names_are_the_same_at_each_reading() -> None:
    """The input is rendered twice, and both must have the same length."""
    media = Media(FOLDER, BESIDE)
    read = [[media.uri(f"files/{file}", "path") for file in (DOG, CAT)] for _ in range(2)]
    assert read[0] == read[1]


def test_an_immediate_batch_reads_media_in_place() -> None:
    assert Media(FOLDER, None).uri(f"files/{CAT}", "path") == "s3://bucket/p/cat.png"


def test_another_tools_key_is_accepted_as_a_name() -> None:
    assert Media(FOLDER, None).uri("files/cat.png", "path") == "s3://bucket/p/cat.png"


@pytest.mark.parametrize(
    "uri", ["https://example.test/files/cat.png", "https://example.test/cat.png", "gs://b/cat", ""]
)
def test_other_objects_are_not_files(uri: str) -> None:
    media = Media(FOLDER, None)
    assert media.uri(uri, "path") is None
    assert media.paths == {}


@pytest.mark.parametrize(
    ("key", "ending"),
    [
        ("p/a.PNG", ".png"),
        ("p/notes.jsonl", ""),
        ("p/team.v1/notes", ""),
        ("p/a.b c", ""),
        ("p/a", ""),
    ],
)
def test_a_copy_has_a_readable_name_that_is_not_an_inputs(key: str, ending: str) -> None:
    assert media_suffix(key) == ending


async def test_a_missing_file_is_refused_with_its_path() -> None:
    store, upstream = s3(Answer(), Answer(404))
    media = Media(FOLDER, BESIDE)
    media.uri(f"files/{CAT}", "requests[0].a")
    media.uri(f"files/{DOG}", "requests[1].b")
    with pytest.raises(FerryError, match="file that is not there") as refused:
        await media.check(store, await aws_target())
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, "requests[1].b")
    assert upstream.done


async def test_every_file_is_copied_once() -> None:
    store, upstream = s3(Answer(body=b"<R/>"), Answer(body=b"<R/>"))
    media = Media(FOLDER, BESIDE)
    for file in (CAT, DOG, CAT):
        media.uri(f"files/{file}", "path")
    await media.copy(store, await aws_target())
    copied = [
        (sent.request.headers["x-amz-copy-source"], sent.request.url.path) for sent in upstream.sent
    ]
    assert copied == [
        ("bucket/p/cat.png", "/p/genai-ferry/job/input/media-0.png"),
        ("bucket/p/pets/dog.jpeg", "/p/genai-ferry/job/input/media-1.jpeg"),
    ]
    assert upstream.done


async def test_a_file_deleted_meanwhile_is_refused_with_its_path() -> None:
    store, _ = s3(ABSENT)
    media = Media(FOLDER, BESIDE)
    media.uri(f"files/{CAT}", "requests[0].a")
    with pytest.raises(FerryError) as refused:
        await media.copy(store, await aws_target())
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, "requests[0].a")


def test_a_name_of_another_provider_is_refused() -> None:
    def elsewhere(uri: str, path: str) -> str | None:
        raise not_found(f"{uri} is another's", path=path)

    media = Media(FOLDER, BESIDE, elsewhere)
    with pytest.raises(FerryError) as caught:
        media.uri("files/sabcd", "requests[0]")
    assert str(caught.value) == "requests[0]: files/sabcd is another's"
    assert media.paths == {}


def test_a_name_that_no_object_can_have_is_refused_with_its_path() -> None:
    with pytest.raises(FerryError) as caught:
        Media(FOLDER, BESIDE).uri(f"files/{object_file_id('genai-ferry/a')}", "requests[0]")
    assert caught.value.path == "requests[0]"
