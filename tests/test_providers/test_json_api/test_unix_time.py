from hypothesis import given
from hypothesis import strategies as st

from providers.json_api.unix_time import from_unix


@given(st.integers() | st.floats() | st.text(max_size=3) | st.none() | st.booleans())
def test_any_time_is_read_or_none(seconds: object) -> None:
    time = from_unix(seconds)
    assert time is None or abs(time.timestamp() - float(str(seconds))) < 1e-3
