"""What a request may name where tenants share one account."""

import re
from typing import Any

import pytest

from providers.errors import FerryError
from providers.owned_references import References
from providers.ownership import Thing, file_thing
from providers.resource_names import native_file_id

REFERENCES = References(re.compile(r"file-[A-Za-z0-9_-]+"), file_thing)
OWN = file_thing("file-own")


async def owns(thing: Thing) -> bool:
    return thing.key == OWN.key


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
        # Text, and the arguments of a user's own function, may say anything.
        {"contents": [{"parts": [{"text": "files/file-other"}]}]},
        {"args": {"file_id": "7", "container": "nginx", "conversation": "hello"}},
        {"parameters": {"properties": {"file_id": {"type": "string"}}}},
        None,
        [],
    ],
)
async def test_what_is_the_tenants_own_or_nobodys_passes(document: Any) -> None:
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
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"tools": [{"vector_store_ids": ["vs_1"]}]}, "tools[0].vector_store_ids[0]"),
    ],
)
async def test_what_is_anothers_is_refused_where_it_stands(document: Any, path: str) -> None:
    with pytest.raises(FerryError) as caught:
        await REFERENCES.check(document, "request", owns)
    assert (caught.value.status, caught.value.path) == ("INVALID_ARGUMENT", f"request.{path}")


async def test_nesting_has_no_end_that_matters() -> None:
    document: Any = {"fileUri": "files/file-other"}
    for _ in range(5000):
        document = [document]
    with pytest.raises(FerryError):
        await REFERENCES.check(document, "request", owns)
