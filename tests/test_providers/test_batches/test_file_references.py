from typing import Final

import pytest

from providers.batches.file_references import FileReferences
from providers.errors import FerryError
from providers.gemini_content.media import INLINE
from providers.resource_names import FileId, FileKind, native_file_id, result_file_id
from providers.resources import any_file
from providers.status import Status

OURS: Final = "https://ferry.example/genai/v1beta/files"
STAGED: Final = str(FileId(FileKind.STAGED, "a" * 26))
PATH: Final = "requests[0].contents[0].parts[0].fileData.fileUri"


@pytest.mark.parametrize(
    ("uri", "native"),
    [
        ("files/file-a", "file-a"),
        (f"{OURS}/file-a", "file-a"),
        (f"{OURS}/{native_file_id('file-a')}", "file-a"),
        # A file that is not there: asking for it shows that, where the web would never have it.
        (f"{OURS}/nope", "nope"),
        ("https://host.example/files/file-a", None),
        ("https://host.example/cat.png", None),
        ("gs://bucket/cat.png", None),
        ("", None),
    ],
)
def test_a_file_or_another_address(uri: str, native: str | None) -> None:
    assert FileReferences(any_file).id_of(uri, PATH) == native


@pytest.mark.parametrize("start", ["files", OURS])
@pytest.mark.parametrize(
    ("file_id", "message"),
    [
        (STAGED, "the proxy keeps this file itself"),
        (result_file_id("batch_a"), "this file is the results of a batch"),
        ("cat,1.png", "is not the name of a file"),
    ],
)
def test_a_file_that_no_request_can_name(start: str, file_id: str, message: str) -> None:
    with pytest.raises(FerryError, match=message) as refused:
        FileReferences(any_file).id_of(f"{start}/{file_id}", PATH)
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, PATH)


@pytest.mark.parametrize("file_id", [STAGED, result_file_id("batch_a")])
def test_a_file_that_only_the_proxy_has_is_refused_with_what_would_be_right(file_id: str) -> None:
    with pytest.raises(FerryError) as refused:
        FileReferences(any_file).id_of(f"files/{file_id}", PATH)
    assert refused.value.message.endswith(
        f"cannot read it in a request; send text as a text part, and others {INLINE}"
    )


def test_references_are_kept_with_the_first_path() -> None:
    references = FileReferences(any_file)
    assert references.id_of("files/file-a", "requests[0]") == "file-a"
    assert references.id_of("https://host.example/cat.png", "requests[1]") is None
    assert references.id_of(f"{OURS}/file-a", "requests[2]") == "file-a"
    assert references.found == {"file-a": "requests[0]"}
