"""What a request may name if tenants share one account."""

from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.anthropic.provider import NAMES as ANTHROPIC_NAMES
from providers.errors import FerryError
from providers.gemini.provider import NAMES as GEMINI_NAMES
from providers.openai.provider import NAMES as OPENAI_NAMES
from providers.resource_names import file_id_of_uri, native_file_id
from providers.status import Status
from providers.tenancy.ownership import OwnedResource, owned_file, owned_native_file
from providers.tenancy.references import References

REFERENCES = References(OPENAI_NAMES, owned_file)
OWN = owned_file("file-own")
GEMINI = References(GEMINI_NAMES, owned_native_file)
ANTHROPIC = References(ANTHROPIC_NAMES, owned_file)
GOOGLE = "https://generativelanguage.googleapis.com"


async def owns(resource: OwnedResource) -> bool:
    return resource.key == OWN.key


async def owns_own(resource: OwnedResource) -> bool:
    return resource.key == owned_native_file("own").key


def by_uri(uri: str) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": "hi"}, {"fileData": {"fileUri": uri}}]}]}


@pytest.mark.parametrize(
    "document",
    [
        by_uri("files/file-own"),
        by_uri(f"https://ferry.example/genai/v1beta/files/{native_file_id('file-own')}"),
        by_uri("https://ferry.example/genai/v1beta/files/file-own:download?alt=media"),
        by_uri("https://www.youtube.com/watch?v=file-x"),
        by_uri("https://host.example/files/report.pdf"),
        by_uri("gs://bucket/file-x"),
        {"body": {"messages": [{"content": [{"file": {"file_id": "file-own"}}]}]}},
        {"tools": [{"container": {"type": "auto", "file_ids": ["file-own"]}}]},
        # Text, and the arguments of a user's own function, may contain anything.
        {"contents": [{"parts": [{"text": "files/file-other"}]}]},
        {"args": {"file_id": "7", "container": "nginx", "conversation": "hello"}},
        {"parameters": {"properties": {"file_id": {"type": "string"}}}},
        None,
        [],
    ],
)
async def test_the_tenants_own_files_and_other_values_pass(document: Any) -> None:
    await REFERENCES.check(document, "request", owns)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (by_uri("files/file-other"), "contents[0].parts[1].fileData.fileUri"),
        (by_uri("file-other"), "contents[0].parts[1].fileData.fileUri"),
        (
            by_uri(f"https://x/v1beta/files/{native_file_id('file-other')}"),
            "contents[0].parts[1].fileData.fileUri",
        ),
        (by_uri("HTTPS://x/files/file-other"), "contents[0].parts[1].fileData.fileUri"),
        (by_uri("no id at all"), "contents[0].parts[1].fileData.fileUri"),
        ({"file_data": {"file_uri": "files/file-other"}}, "file_data.file_uri"),
        ({"file": {"file_id": "file-other"}}, "file.file_id"),
        ({"container": {"file_ids": ["file-own", "file-other"]}}, "container.file_ids[1]"),
        ({"container": "cntr_1"}, "container"),
        # The translation reads these as files, also at a server whose ids have another form.
        (by_uri(f"{GOOGLE}/v1beta/files/other"), "contents[0].parts[1].fileData.fileUri"),
        (by_uri("https://x/v1beta/files/0d4c?x"), "contents[0].parts[1].fileData.fileUri"),
        (
            by_uri("https://x/files/file-own?x=/files/file-other"),
            "contents[0].parts[1].fileData.fileUri",
        ),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"tools": [{"vector_store_ids": ["vs_1"]}]}, "tools[0].vector_store_ids[0]"),
    ],
)
async def test_another_tenants_resource_is_refused_with_its_path(document: Any, path: str) -> None:
    with pytest.raises(FerryError) as caught:
        await REFERENCES.check(document, "request", owns)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, f"request.{path}")


@pytest.mark.parametrize("value", ["container_011C", "cntr_1"])
async def test_a_container_at_anthropic_is_refused_by_its_id(value: str) -> None:
    with pytest.raises(FerryError) as caught:
        await ANTHROPIC.check({"params": {"container": value}}, "request", owns)
    assert caught.value.path == "request.params.container"
    await ANTHROPIC.check({"input": {"container": "nginx"}}, "request", owns)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"cachedContent": "1"}, "cachedContent"),
        (
            {"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/1"]}}]},
            "tools[0].fileSearch.fileSearchStoreNames[0]",
        ),
        ({"cached_content": "/cachedContents/1"}, "cached_content"),
        ({"cachedContent": "projects/1/locations/us/cachedContents/1"}, "cachedContent"),
    ],
)
async def test_a_shared_resource_of_google_is_refused_with_its_path(
    document: Any, path: str
) -> None:
    with pytest.raises(FerryError) as caught:
        await GEMINI.check(document, "request", owns_own)
    assert (caught.value.status, caught.value.path) == (Status.INVALID_ARGUMENT, f"request.{path}")


async def test_a_file_at_anthropic_is_checked_by_its_id() -> None:
    with pytest.raises(FerryError) as caught:
        await ANTHROPIC.check({"source": {"file_id": "file_other"}}, "request", owns)
    assert caught.value.path == "request.source.file_id"


async def test_arguments_of_a_function_at_google_can_have_a_file_id() -> None:
    call = {"functionCall": {"name": "open", "args": {"file_id": "report-7"}}}
    await GEMINI.check({"contents": [{"parts": [call]}]}, "body", owns_own)


# --- at Google, which may read a URI differently --------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "files/own",
        f"{GOOGLE}/v1beta/files/own",
        f"{GOOGLE}/v1/files/own",
        "https://host.example/files/report.pdf",
        "https://host.example/files/2024/report.pdf",
        "https://host.example/a%20report.pdf?part=files",
        "https://www.youtube.com/watch?v=own",
        "https://youtu.be/other",
        "gs://bucket/other.pdf",
    ],
)
async def test_googles_own_uris_and_web_uris_pass(uri: str) -> None:
    await GEMINI.check(by_uri(uri), "body", owns_own)


@pytest.mark.parametrize("file_id", ["own", "other"])
@pytest.mark.parametrize(
    "spelling",
    [
        "files/{}/",
        "files//{}",
        "/files/{}",
        "files/{} ",
        " files/{}",
        "files/{}:x",
        "files/{}?x",
        "files/{}#x",
        "Files/{}",
        "v1beta/files/{}",
        "HTTPS:files/{}",
        GOOGLE + "/v1beta/files/{}/",
        GOOGLE + "/v1beta/files/{} ",
        GOOGLE + "/v1beta/files/{}\n",
        GOOGLE + "/v1beta/files/{}:x",
        GOOGLE + "/v1beta/files/{}:download",
        GOOGLE + "/v1beta/files/{}?alt=media",
        GOOGLE + "/v1beta/files/{}?/files/other",
        GOOGLE + "/v1beta/files/{}/../other",
        GOOGLE + "/v1beta/files/%6F{}",
        GOOGLE + "/v1beta/files%2F{}",
        GOOGLE + "/v1beta//files//{}",
        GOOGLE + "/v1beta/FILES/{}",
        GOOGLE + "/v1beta/x/{}",
        GOOGLE + ":443/v1beta/files/{}",
        GOOGLE.upper() + "/v1beta/files/{}",
        GOOGLE.replace("language.", "language%2E") + "/v1beta/files/{}",
        GOOGLE.replace("language.", "language.mtls.") + "/v1beta/files/{}",
        GOOGLE.replace("//", "//x@") + "/v1beta/files/{}",
        GOOGLE.replace("https", "http") + "/v1beta/files/{}",
        "https://host.example/v1beta/files/{}/",
        "https://host.example/v1beta/files//{}:x",
        "https://host.example/v1beta/files/%6F{}",
        "https://host.example/v1beta/files/{}?x",
    ],
)
async def test_a_file_in_another_spelling_is_refused(spelling: str, file_id: str) -> None:
    with pytest.raises(FerryError) as caught:
        await GEMINI.check(by_uri(spelling.format(file_id)), "body", owns_own)
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert caught.value.path == "body.contents[0].parts[1].fileData.fileUri"
    assert len(caught.value.message) < 250


@pytest.mark.parametrize("repeated", ["files/", "files/a?", "generativelanguage", "%", "://", "/"])
async def test_every_uri_is_read_quickly(repeated: str) -> None:
    uri = f"https://x/{repeated * 50_000}\n!"
    begin = process_time()
    for references in REFERENCES, GEMINI:
        with suppress(FerryError):
            await references.check(by_uri(uri), "body", owns)
    assert process_time() - begin < 2


@given(
    st.lists(
        st.sampled_from(
            ["files", "/", "file-other", ":", "download", "?", "#", "%2F", "\n", " ", "\\", "a"]
        ),
        max_size=12,
    )
)
async def test_a_value_that_a_translation_may_read_as_a_file_is_refused(
    pieces: list[str],
) -> None:
    uri = "https://x/" + "".join(pieces)
    try:
        await REFERENCES.check(by_uri(uri), "body", owns)
    except FerryError:
        return
    assert file_id_of_uri(uri) != "file-other"


async def test_deep_nesting_is_read() -> None:
    document: Any = {"fileUri": "files/file-other"}
    for _ in range(5000):
        document = [document]
    with pytest.raises(FerryError):
        await REFERENCES.check(document, "request", owns)
