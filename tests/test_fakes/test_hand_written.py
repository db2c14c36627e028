import orjson
import pytest

from tests.fakes.gemini.hand_written import loads


@pytest.mark.parametrize(
    "text", [b'{"a":' * 20_000, b"[" * 20_000, b"{'a", b'{"\\ud800": 1}', b"['\\ud800']"]
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loads(text)
