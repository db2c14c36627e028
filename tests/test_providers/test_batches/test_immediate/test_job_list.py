import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.batches.immediate.job_ids import job_id_of
from providers.batches.immediate.job_list import POSITION, Position, parse_position
from providers.json_api.page_tokens import decode_page_token, encode_page_token

POSITIONS = st.builds(Position, st.integers(-(10**12) + 1, 0), st.text().map(job_id_of))


@given(POSITIONS)
def test_a_position_is_read_back(position: Position) -> None:
    assert parse_position(str(position)) == position
    token = encode_page_token(str(position))
    assert parse_position(decode_page_token(token, POSITION)) == position


@given(st.lists(POSITIONS, unique=True))
def test_newer_positions_come_first(positions: list[Position]) -> None:
    times = [-position.negative_seconds for position in sorted(positions)]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("text", ["", "1", "1.", ".a", "1.A", "-1.a", "1.a/b", "1.a\n", "x.a"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="position"):
        parse_position(text)
