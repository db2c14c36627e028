import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.resource_names import (
    NATIVE_ID,
    OBJECT_KEY,
    FileId,
    FileKind,
    check_native_id,
    decode_file_id,
    decode_object_id,
    file_id_of_uri,
    is_written_by_us,
    object_file_id,
    parse_file_id,
)
from providers.status import Status

NATIVES = st.from_regex(NATIVE_ID, fullmatch=True)
KINDS = st.sampled_from(FileKind)


@given(KINDS, NATIVES)
def test_an_id_is_in_the_alphabet_and_is_read_back(kind: FileKind, native: str) -> None:
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
def test_decoded_text_is_encoded_the_same(text: str) -> None:
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
def test_a_native_id_is_accepted_unchanged(text: str) -> None:
    assert parse_file_id(text) == FileId(FileKind.NATIVE, text)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", "a%2Fb", "a b", "a\n", "é", "a:b", "a?b", "x" * 513]
)
def test_a_reference_without_a_name_is_refused(text: str) -> None:
    for parse in (parse_file_id, lambda name: check_native_id(name, "batch")):
        with pytest.raises(FerryError) as caught:
            parse(text)
        assert caught.value.status == Status.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "files/",
        "batches/x",
        "files",
        "https://x/files/a/b",
        "xfiles/a",
        "files/a:b",
        "files/:download",
        "https://x/y?of=/files/a",
        "files/" + "a" * 20_000,
    ],
)
def test_a_uri_without_a_file(uri: str) -> None:
    assert file_id_of_uri(uri) is None


def test_a_long_text_that_is_not_a_uri_is_checked_quickly() -> None:
    """2.5 million starts of a name; a naive search would follow each one to the end."""
    assert file_id_of_uri("/files/a#" * 2_500_000 + "\nx") is None


@pytest.mark.parametrize(
    ("uri", "ours"),
    [
        ("files/abc", True),
        ("http://localhost:8080/genai/v1beta/files/abc", True),
        ("https://example.org/files/sunset", False),
    ],
)
def test_a_web_address_is_not_mistaken_for_ours(uri: str, ours: bool) -> None:
    assert is_written_by_us(uri) is ours


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(KEYS)
def test_the_key_of_an_object_may_be_any_text(key: str) -> None:
    file_id = object_file_id(key)
    assert re.fullmatch("[a-z0-9]+", file_id)
    assert file_id_of_uri(f"https://x/v1beta/files/{file_id}:download") == file_id
    assert decode_object_id(file_id) == (key if OBJECT_KEY.fullmatch(key) else None)


@given(KINDS, NATIVES, KEYS)
def test_no_other_id_names_an_object(kind: FileKind, native: str, key: str) -> None:
    assert decode_object_id(str(FileId(kind, native))) is None
    assert decode_file_id(object_file_id(key)) is None


@pytest.mark.parametrize(
    "key", [".", "..", "../x", "x/..", "x/../y", "./x", "x/.", "a\n/../b", "x" * 1025, ""]
)
def test_a_key_with_dot_segments_is_invalid(key: str) -> None:
    assert not OBJECT_KEY.fullmatch(key)


@pytest.mark.parametrize("key", ["...", "..x", "x..", "a/..b", "a/.hidden", "a//b", "x" * 1024])
def test_other_dots_are_allowed_in_keys(key: str) -> None:
    assert OBJECT_KEY.fullmatch(key)
