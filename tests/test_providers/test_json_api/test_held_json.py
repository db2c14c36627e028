import tracemalloc

import orjson
import pytest

from providers.json_api.held_json import render_held

COUNT = 1_000


@pytest.mark.parametrize("length", [1, 500, 5_000])
def test_what_is_held_takes_no_more_memory_than_its_bytes(length: int) -> None:
    value = "x" * length
    tracemalloc.start()
    try:
        held = [render_held(value) for _ in range(COUNT)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(map(len, held)) == COUNT * (length + 2)
    assert taken < COUNT * (length + 100)


def test_it_renders_as_orjson_does() -> None:
    value = {"key": "ä", "list": [1, 2.5, None, True], "raw": orjson.Fragment(b'{"a":1}')}
    assert render_held(value) == orjson.dumps(value)
