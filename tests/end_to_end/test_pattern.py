from hypothesis import given
from hypothesis import strategies as st

from tests.end_to_end.pattern import pattern_bytes


@given(start=st.integers(0, 1 << 40), size=st.integers(0, 2000))
def test_byte_i_is_i_mod_251(start: int, size: int) -> None:
    assert pattern_bytes(size, start) == bytes((start + i) % 251 for i in range(size))


def test_no_two_chunks_of_a_file_begin_the_same() -> None:
    first_bytes = {pattern_bytes(1, start=chunk * (8 << 20)) for chunk in range(128)}

    assert len(first_bytes) == 128
