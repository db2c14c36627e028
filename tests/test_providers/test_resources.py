from datetime import UTC

import orjson
from hypothesis import given
from hypothesis import strategies as st

from providers.resources import BatchState, Counts, File, FileSource, FileState, parse_file

TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
TEXTS = st.none() | st.text(max_size=5)


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
    assert parse_file(orjson.loads(orjson.dumps(file))) == file


def test_the_terminal_states() -> None:
    going_on = {state for state in BatchState if not state.terminal}
    assert going_on == {BatchState.PENDING, BatchState.RUNNING, BatchState.CANCELLING}


def test_counts_are_never_negative() -> None:
    assert (Counts(5, 2, 1).pending, Counts(0, 2, 1).pending) == (2, 0)
