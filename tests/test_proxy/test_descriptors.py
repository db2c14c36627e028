import resource

import pytest

from proxy.descriptors import connections_possible, raise_descriptor_limit


@pytest.mark.parametrize(
    ("limit", "possible"),
    [(1024, 416), (256, 32), (100, 1), (resource.RLIM_INFINITY, float("inf"))],
)
def test_some_descriptors_are_reserved(
    monkeypatch: pytest.MonkeyPatch, limit: int, possible: float
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert connections_possible() == possible


def test_the_limit_is_raised_as_far_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    raise_descriptor_limit()
    assert raised == [(4096, 4096)]


def test_a_limit_that_cannot_be_raised_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(resource, "setrlimit", refuse)
    raise_descriptor_limit()
