"""How small objects are read back as what they were written from."""

from datetime import UTC

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.multipart_uploads import MultipartUpload
from providers.resources import File, FileSource, FileState
from providers.state import StateError, parse_as, read, read_as, write
from providers.status import Status
from tests.memory_state import MemoryState

TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
TEXTS = st.none() | st.text(max_size=5)
NAME = "uploads/s1/route"


@given(
    st.builds(
        File,
        id=st.text(max_size=5),
        display_name=TEXTS,
        mime_type=TEXTS,
        size=st.none() | st.integers(0, 1 << 40),
        create_time=TIMES,
        expiration_time=TIMES,
        sha256=TEXTS,
        state=st.sampled_from(FileState),
        source=st.sampled_from(FileSource),
        error=TEXTS,
        downloadable=st.booleans(),
    )
)
def test_a_file_is_read_as_it_was_written(file: File) -> None:
    assert parse_as(orjson.dumps(file), File) == file


async def test_an_object_that_does_not_exist_is_none() -> None:
    assert await read_as(MemoryState(), NAME, MultipartUpload) is None


async def test_what_a_later_version_added_is_ignored() -> None:
    state = MemoryState()
    await write(state, NAME, b'{"name": "a", "id": "1", "of_tomorrow": {}}')
    assert await read_as(state, NAME, MultipartUpload) == MultipartUpload("a", "1")


@pytest.mark.parametrize(
    "content", [b"", b"no JSON", b"null", b"[]", b"{}", b'{"name": "the-secret", "id": null}']
)
async def test_other_content_is_the_stores_fault_and_is_not_quoted(content: bytes) -> None:
    state = MemoryState()
    await write(state, NAME, content)
    with pytest.raises(StateError, match="not what the proxy writes there") as wrong:
        await read_as(state, NAME, MultipartUpload)
    assert (wrong.value.status, wrong.value.permanent) == (Status.FAILED_PRECONDITION, True)
    assert "secret" not in f"{wrong.value!r}{wrong.value.__cause__!r}"


async def test_an_object_that_is_too_large_is_the_stores_fault() -> None:
    state = MemoryState()
    await write(state, NAME, b"the-secret")
    assert await read(state, NAME, 10) == b"the-secret"
    with pytest.raises(StateError, match="not what the proxy writes there") as wrong:
        await read(state, NAME, 9)
    assert (wrong.value.status, wrong.value.permanent) == (Status.FAILED_PRECONDITION, True)
    assert "secret" not in repr(wrong.value)
