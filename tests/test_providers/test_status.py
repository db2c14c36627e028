import re

import pytest

from providers.status import (
    Status,
    explain_status,
    item_error,
    rpc_status_of_http,
    status_of_refusal,
)


@pytest.mark.parametrize(
    ("http", "status", "number"),
    [
        (400, Status.INVALID_ARGUMENT, 3),
        (401, Status.UNAUTHENTICATED, 16),
        (402, Status.RESOURCE_EXHAUSTED, 8),
        (403, Status.PERMISSION_DENIED, 7),
        (404, Status.NOT_FOUND, 5),
        (409, Status.ABORTED, 10),
        (413, Status.INVALID_ARGUMENT, 3),
        (418, Status.INVALID_ARGUMENT, 3),
        (422, Status.INVALID_ARGUMENT, 3),
        (429, Status.RESOURCE_EXHAUSTED, 8),
        (499, Status.CANCELLED, 1),
        (500, Status.UNAVAILABLE, 14),
        (405, Status.UNIMPLEMENTED, 12),
        (501, Status.UNIMPLEMENTED, 12),
        (502, Status.UNAVAILABLE, 14),
        (503, Status.UNAVAILABLE, 14),
        (504, Status.DEADLINE_EXCEEDED, 4),
        (529, Status.UNAVAILABLE, 14),
        (302, Status.UNKNOWN, 2),
        (-1, Status.UNKNOWN, 2),
    ],
)
def test_http_statuses(http: int, status: Status, number: int) -> None:
    assert rpc_status_of_http(http) == status
    assert item_error(status, "why") == {"code": number, "message": "why"}


@pytest.mark.parametrize(
    ("http", "status"),
    [
        (302, Status.UNAVAILABLE),
        (402, Status.FAILED_PRECONDITION),
        (429, Status.RESOURCE_EXHAUSTED),
        (499, Status.INVALID_ARGUMENT),
        (501, Status.UNIMPLEMENTED),
        (504, Status.DEADLINE_EXCEEDED),
        (600, Status.UNAVAILABLE),
    ],
)
def test_the_status_of_a_whole_call(http: int, status: Status) -> None:
    assert status_of_refusal(http) == status


@pytest.mark.parametrize(("http", "hint"), [(301, True), (404, True), (403, False), (500, False)])
def test_an_answer_without_a_reason(http: int, hint: bool) -> None:
    assert explain_status(http).startswith(f"HTTP status {http}")
    assert ("check the BASE_URL" in explain_status(http)) is hint


# google/rpc/code.proto, with the HTTP status that it pairs with each.
_CODE_PROTO = """
    CANCELLED = 1 499              UNKNOWN = 2 500              INVALID_ARGUMENT = 3 400
    DEADLINE_EXCEEDED = 4 504      NOT_FOUND = 5 404            ALREADY_EXISTS = 6 409
    PERMISSION_DENIED = 7 403      RESOURCE_EXHAUSTED = 8 429   FAILED_PRECONDITION = 9 400
    ABORTED = 10 409               OUT_OF_RANGE = 11 400        UNIMPLEMENTED = 12 501
    INTERNAL = 13 500              UNAVAILABLE = 14 503         DATA_LOSS = 15 500
    UNAUTHENTICATED = 16 401
"""


def test_the_table_is_googles() -> None:
    published = re.findall(r"([A-Z_]+) = (\d+) (\d+)", _CODE_PROTO)
    assert {(status.name, str(status.number), str(status.http)) for status in Status} == set(
        published
    )


@pytest.mark.parametrize("status", Status)
def test_a_status_is_not_the_string_of_its_name(status: Status) -> None:
    # mypy reports an ignore that is not needed, so this also shows that it refuses the comparison.
    assert status != status.name  # type: ignore[comparison-overlap]
