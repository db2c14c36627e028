import pytest

from providers.errors import HTTP_OF_STATUS
from providers.status import (
    RPC_CODES,
    explain_status,
    item_error,
    rpc_status_of_http,
    status_of_refusal,
)


@pytest.mark.parametrize(
    ("http", "status", "number"),
    [
        (400, "INVALID_ARGUMENT", 3),
        (401, "UNAUTHENTICATED", 16),
        (402, "RESOURCE_EXHAUSTED", 8),
        (403, "PERMISSION_DENIED", 7),
        (404, "NOT_FOUND", 5),
        (409, "ABORTED", 10),
        (413, "INVALID_ARGUMENT", 3),
        (418, "INVALID_ARGUMENT", 3),
        (422, "INVALID_ARGUMENT", 3),
        (429, "RESOURCE_EXHAUSTED", 8),
        (499, "CANCELLED", 1),
        (500, "UNAVAILABLE", 14),
        (405, "UNIMPLEMENTED", 12),
        (501, "UNIMPLEMENTED", 12),
        (502, "UNAVAILABLE", 14),
        (503, "UNAVAILABLE", 14),
        (504, "DEADLINE_EXCEEDED", 4),
        (529, "UNAVAILABLE", 14),
        (302, "UNKNOWN", 2),
        (-1, "UNKNOWN", 2),
    ],
)
def test_http_statuses(http: int, status: str, number: int) -> None:
    assert rpc_status_of_http(http) == status
    assert item_error(status, "why") == {"code": number, "message": "why"}


@pytest.mark.parametrize(
    ("http", "status"),
    [
        (302, "UNAVAILABLE"),
        (402, "FAILED_PRECONDITION"),
        (429, "RESOURCE_EXHAUSTED"),
        (499, "INVALID_ARGUMENT"),
        (501, "UNIMPLEMENTED"),
        (504, "DEADLINE_EXCEEDED"),
        (600, "UNAVAILABLE"),
    ],
)
def test_the_status_of_a_whole_call(http: int, status: str) -> None:
    assert status_of_refusal(http) == status
    assert status in HTTP_OF_STATUS


@pytest.mark.parametrize(("http", "hint"), [(301, True), (404, True), (403, False), (500, False)])
def test_an_answer_without_a_reason(http: int, hint: bool) -> None:
    assert explain_status(http).startswith(f"HTTP status {http}")
    assert ("check the BASE_URL" in explain_status(http)) is hint


def test_every_status_of_an_error_has_a_number() -> None:
    assert set(HTTP_OF_STATUS) <= set(RPC_CODES)


def test_the_numbers_are_those_of_google_rpc() -> None:
    assert sorted(RPC_CODES.values()) == list(range(1, 17))
