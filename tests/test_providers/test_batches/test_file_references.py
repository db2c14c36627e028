import re
from typing import Final

import pytest

from providers.batches.file_references import FileReferences
from providers.errors import FerryError
from providers.resource_names import FileId, FileKind, native_file_id, result_file_id
from providers.status import Status

NATIVE: Final = re.compile(r"file-[a-z]+")
OURS: Final = "https://ferry.example/genai/v1beta/files"
STAGED: Final = str(FileId(FileKind.STAGED, "a" * 26))


def reference(uri: str) -> tuple[str | None, list[str]]:
    """The reference in `uri`, and the names that were checked for another provider."""
    checked: list[str] = []

    def check(name: str, path: str) -> None:
        assert path == "requests[0]"
        checked.append(name)

    return FileReferences(NATIVE, check).id_of(uri, "requests[0]"), checked


@pytest.mark.parametrize(
    ("uri", "native", "checked"),
    [
        ("files/file-a", "file-a", True),
        (f"{OURS}/file-a", "file-a", True),
        (f"{OURS}/{native_file_id('file-a')}", "file-a", True),
        # A file that is not there: asking for it shows that, where the web would never have it.
        (f"{OURS}/nope", "nope", True),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc", "abc", True),
        ("https://host.example/files/file-a", "file-a", False),
        (f"https://host.example/files/{native_file_id('file-a')}", "file-a", False),
        ("https://host.example/files/cat.png", None, False),
        ("HTTPS://host.example/files/cat,1.png", None, False),
        ("https://host.example/cat.png", None, False),
        ("gs://bucket/cat.png", None, False),
        ("", None, False),
    ],
)
def test_a_file_or_another_address(uri: str, native: str | None, checked: bool) -> None:
    found, names = reference(uri)
    assert (found, names != []) == (native, checked)


@pytest.mark.parametrize("start", ["files", OURS, "https://host.example/files"])
@pytest.mark.parametrize(
    ("file_id", "message"),
    [
        (STAGED, "the proxy stores this file as the input of a batch"),
        (result_file_id("batch_a"), "this file is the results of a batch"),
    ],
)
def test_a_staged_file(start: str, file_id: str, message: str) -> None:
    with pytest.raises(FerryError, match=message) as refused:
        reference(f"{start}/{file_id}")
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, "requests[0]")
    assert "send its text as a text part" in refused.value.message


def test_references_are_kept_with_the_first_path() -> None:
    references = FileReferences(NATIVE, lambda *_: None)
    assert references.id_of("files/file-a", "requests[0]") == "file-a"
    assert references.id_of("https://host.example/cat.png", "requests[1]") is None
    assert references.id_of(f"{OURS}/file-a", "requests[2]") == "file-a"
    assert references.found == {"file-a": "requests[0]"}
