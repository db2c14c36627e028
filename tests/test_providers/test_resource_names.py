import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.resource_names import (
    NATIVE_ID,
    FileId,
    FileKind,
    check_native_id,
    decode_file_id,
    file_id_of_uri,
    parse_file_id,
)

NATIVES = st.from_regex(NATIVE_ID, fullmatch=True)
KINDS = st.sampled_from(FileKind)


@given(KINDS, NATIVES)
def test_an_id_is_of_the_alphabet_and_comes_back(kind: FileKind, native: str) -> None:
    file_id = FileId(kind, native)
    assert re.fullmatch("[a-z0-9]+", str(file_id))
    assert parse_file_id(str(file_id)) == file_id


@given(KINDS, NATIVES)
def test_an_id_is_found_in_every_uri(kind: FileKind, native: str) -> None:
    text = str(FileId(kind, native))
    for uri in (
        f"files/{text}",
        f"http://localhost:8080/genai/v1beta/files/{text}",
        f"https://x/v1beta/files/{text}:download",
        f"https://x/v1beta/files/{text}:download?alt=media",
        f"https://x/v1beta/files/{text}#part",
    ):
        assert file_id_of_uri(uri) == text


@given(st.text(string.ascii_lowercase + string.digits, max_size=30))
def test_what_is_decoded_is_encoded_alike(text: str) -> None:
    decoded = decode_file_id(text)
    assert decoded is None or str(decoded) == text


@pytest.mark.parametrize(
    "text",
    [
        "file-AbC123",
        "file-abc",
        "batch_1",
        "a.b",
        "f",
        "r",
        "f1",
        "fmzuwyzi8",
        "fMZUWYZI",
        "xmzuwyzi",
    ],
)
def test_a_native_id_is_taken_as_it_is(text: str) -> None:
    assert parse_file_id(text) == FileId(FileKind.NATIVE, text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", "a%2Fb", "a b", "a\n", "é", "a:b", "a?b", "x" * 513]
)
def test_what_names_nothing_is_refused(text: str) -> None:
    for parse in (parse_file_id, lambda name: check_native_id(name, "batch")):
        with pytest.raises(FerryError) as caught:
            parse(text)
        assert caught.value.status == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "uri", ["", "files/", "batches/x", "files", "https://x/files/a/b", "xfiles/a"]
)
def test_a_uri_that_names_no_file(uri: str) -> None:
    assert file_id_of_uri(uri) is None
