from math import inf

import pytest

from providers.deadlines import DEFAULT_LIMITS, TimeLimits, Wait

LIMITS = TimeLimits(stall=6, call=7, answer=80)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.deadlines.time.monotonic", lambda: 1000.0)


def test_the_defaults_are_those_of_the_contract() -> None:
    assert TimeLimits(stall=60, call=60, answer=600) == DEFAULT_LIMITS


def test_a_short_call_ends_as_a_whole() -> None:
    limits = LIMITS.short_call()
    assert (limits.ends, limits.seconds_left()) == (1007, 7)
    for method in ("GET", "POST"):
        assert limits.wait_for(method, None) == Wait(7, "FERRY_CALL_SECONDS")


def test_an_upstream_call_has_only_what_is_left_of_a_short_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = LIMITS.short_call()
    monkeypatch.setattr("providers.deadlines.time.monotonic", lambda: 1005.0)
    assert limits.wait_for("GET", None) == Wait(2, "FERRY_CALL_SECONDS")
    assert limits.wait_for("POST", 3600) == Wait(2, "FERRY_CALL_SECONDS")


def test_a_moving_body_must_make_progress() -> None:
    limits = LIMITS.moving_call()
    assert limits.ends == inf
    for method in ("GET", "POST"):
        assert limits.wait_for(method, None) == Wait(6, "FERRY_STALL_SECONDS")


def test_only_the_answer_to_what_was_sent_may_take_long() -> None:
    limits = LIMITS.answered_call()
    for method in ("POST", "PUT"):
        assert limits.wait_for(method, None) == Wait(80, "FERRY_ANSWER_SECONDS")
    for method in ("GET", "HEAD", "DELETE"):
        assert limits.wait_for(method, None) == Wait(6, "FERRY_STALL_SECONDS")
    assert limits.wait_for("POST", 3600) == Wait(3600)


def test_every_relayed_call_may_take_long() -> None:
    for method in ("GET", "POST"):
        wait = LIMITS.relayed_call().wait_for(method, None)
        assert wait == Wait(80, "FERRY_ANSWER_SECONDS")


@pytest.mark.parametrize(("seconds", "own"), [(5, None), (70, 3600)])
def test_the_clients_own_limit_holds_if_it_is_shorter(seconds: float, own: float | None) -> None:
    for limits in (LIMITS.sending_call(seconds), LIMITS.relayed_call(seconds)):
        assert limits.wait_for("POST", own) == Wait(seconds, "X-Server-Timeout")
    assert LIMITS.relayed_call(500).wait_for("POST", None) == Wait(80, "FERRY_ANSWER_SECONDS")


def test_the_clients_own_limit_is_for_the_whole_call(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = LIMITS.answered_call().within(5, arrived=999)
    assert limits.ends == 1004
    monkeypatch.setattr("providers.deadlines.time.monotonic", lambda: 1003.0)
    for own in (None, 3600):
        assert limits.wait_for("POST", own) == Wait(1, "X-Server-Timeout")
    assert limits.exceeded().message == "the call took longer than 5 seconds (X-Server-Timeout)"


def test_the_earlier_end_of_a_call_holds() -> None:
    short = LIMITS.short_call()
    assert short.within(8, arrived=1000) is short
    assert short.within(5, arrived=1000).wait_for("GET", None) == Wait(5, "X-Server-Timeout")
    assert short.within(inf, arrived=1000) is short
    assert short.exceeded().message == "the call took longer than 7 seconds (FERRY_CALL_SECONDS)"


def test_a_wait_says_where_it_comes_from() -> None:
    assert str(Wait(0.5, "FERRY_STALL_SECONDS")) == "0.5 seconds (FERRY_STALL_SECONDS)"
    assert str(Wait(3600)) == "3600 seconds"
