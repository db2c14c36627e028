import time
from contextlib import suppress

import pytest

from middlewares.observation import Observation, Waiting


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_waits_that_overlap_count_once(clock: list[float]) -> None:
    waiting = Waiting()
    with waiting:
        clock[0] += 1
        with waiting:
            clock[0] += 2
        clock[0] += 4
    clock[0] += 8
    with suppress(ValueError), waiting:
        clock[0] += 16
        raise ValueError
    assert waiting.seconds == 23


def test_the_own_time_is_the_rest(clock: list[float]) -> None:
    seen = Observation(began=clock[0])
    clock[0] += 1
    with seen.waiting:
        clock[0] += 5
    seen.responds()
    clock[0] += 2
    seen.ends(200)
    assert (seen.code, seen.seconds, seen.own_seconds, seen.first_byte) == (200, 8, 3, 6)


def test_a_response_in_one_piece_has_its_first_byte_at_the_end(clock: list[float]) -> None:
    seen = Observation(began=clock[0])
    clock[0] += 3
    seen.ends(200)
    assert seen.first_byte == 3
