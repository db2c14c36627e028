from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.aws.folder import Folder
from providers.aws.s3 import StoredObject
from providers.bedrock.files import (
    decode_text,
    encode_text,
    from_object,
    is_new_name,
    key_of,
    new_name,
    object_headers,
)
from providers.errors import FerryError
from providers.resource_names import object_file_id
from providers.status import Status
from providers.upload import UploadStart

FOLDER = Folder("bucket", "some/prefix/")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(TEXTS)
def test_any_display_name_is_kept_in_ascii(text: str) -> None:
    encoded = encode_text(text)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert encoded == encoded.strip()
    assert decode_text(encoded) == text


def test_a_plain_name_stays_readable() -> None:
    assert encode_text("my requests (2)") == "my requests (2)"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("=?UTF-8?Q?r=C3=A9sum=C3=A9?=", "résumé"),
        ("=?ISO-8859-1?Q?r=E9sum=E9?=", "résumé"),
        ("=?unknown-charset?Q?x?=", "=?unknown-charset?Q?x?="),
        ("=?UTF-8?B?/w==?=", "=?UTF-8?B?/w==?="),
        ("=?", "=?"),
    ],
)
def test_another_tools_name_is_decoded_or_left_unchanged(value: str, name: str) -> None:
    assert decode_text(value) == name


def test_a_file_is_created_with_its_type_and_name() -> None:
    assert object_headers("a name", "application/jsonl") == {
        "Content-Type": "application/jsonl",
        "x-amz-meta-display-name": "a name",
    }
    assert object_headers("", "") == {"Content-Type": "application/octet-stream"}


@pytest.mark.parametrize(
    ("name", "mime_type", "path"),
    [
        ("x" * 2037, "text/plain", "file.displayName"),
        ("é" * 800, "text/plain", "file.displayName"),
        ("name", "text/pläin", "file.mimeType"),
        ("name", "text/plain\r\nx-amz-acl: public-read", "file.mimeType"),
    ],
)
def test_a_name_that_s3_cannot_store_is_refused(name: str, mime_type: str, path: str) -> None:
    with pytest.raises(FerryError) as refused:
        object_headers(name, mime_type)
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, path)


def test_the_longest_name_is_kept() -> None:
    assert len(object_headers("x" * 2036, "text/plain")["x-amz-meta-display-name"]) == 2036


@pytest.mark.parametrize(
    ("start", "ending"),
    [
        (UploadStart(display_name="requests", batch_input=True), ".jsonl"),
        (UploadStart(file_name="requests.json", batch_input=True), ".jsonl"),
        (UploadStart(file_name="notes.json", mime_type="application/json"), ".json"),
        (UploadStart(display_name="photo.PNG", mime_type="image/png"), ".png"),
        (UploadStart(display_name="photo", file_name="photo.jpeg"), ".jpeg"),
        (UploadStart(display_name="no suffix"), ".bin"),
        (UploadStart(display_name="odd.t/x"), ".bin"),
    ],
)
def test_a_new_object_has_a_unique_name_that_bedrock_can_read(
    start: UploadStart, ending: str
) -> None:
    name = new_name(start)
    assert name.endswith(ending)
    assert name != new_name(start)
    assert is_new_name(name)


@pytest.mark.parametrize("name", ["data.jsonl", "a/" + "a" * 24 + ".bin", "A" * 24 + ".bin", ""])
def test_other_tools_names_are_not_ours(name: str) -> None:
    assert not is_new_name(name)


@pytest.mark.parametrize("name", ["requests.jsonl", "a/b c", "é", "files.d/x+y"])
def test_a_file_is_found_by_our_id_or_by_its_key(name: str) -> None:
    key = f"some/prefix/{name}"
    assert key_of(object_file_id(name), FOLDER) == key_of(name, FOLDER) == key


@pytest.mark.parametrize(
    "name", ["../other/x", "a/../../x", ".", "", "genai-ferry/job/input/input.jsonl"]
)
def test_an_invalid_file_name_is_refused(name: str) -> None:
    for file_id in (name, object_file_id(name)):
        if decoded_to_itself(file_id, name):
            continue
        with pytest.raises(FerryError, match="not the name of a file") as refused:
            key_of(file_id, FOLDER)
        assert refused.value.status == Status.INVALID_ARGUMENT


def decoded_to_itself(file_id: str, name: str) -> bool:
    """An id that cannot be decoded is itself a key below the folder."""
    return file_id != name and key_is_below(file_id)


def key_is_below(file_id: str) -> bool:
    try:
        return key_of(file_id, FOLDER) == FOLDER.prefix + file_id
    except FerryError:
        return False


def test_an_object_is_a_file() -> None:
    made = datetime(2026, 11, 26, tzinfo=UTC)
    stored = StoredObject(
        "some/prefix/a b", 71, made, "text/plain", {"display-name": "=?UTF-8?B?w6k=?="}
    )
    file = from_object(stored, FOLDER)
    assert file.id == object_file_id("a b")
    assert (file.display_name, file.mime_type, file.size) == ("é", "text/plain", 71)
    assert (file.create_time, file.downloadable) == (made, True)
    assert from_object(StoredObject("some/prefix/x", 0, None), FOLDER).display_name is None
