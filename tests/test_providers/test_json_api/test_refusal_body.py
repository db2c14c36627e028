import pytest

from providers.json_api.refusal_body import code_of, lacks_credit, message_of


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "why", "code": "c", "type": "t"}}, "why", "c"),
        ({"error": {"message": "why", "code": None, "type": "t"}}, "why", "t"),
        ({"type": "error", "error": {"type": "t", "message": "why"}}, "why", "t"),
        (
            {"error": {"message": "why", "code": 404, "type": "NotFoundError"}},
            "why",
            "NotFoundError",
        ),
        ({"message": "why", "code": 400, "type": "BadRequestError"}, "why", "BadRequestError"),
        ({"error": "why"}, "why", ""),
        ({"error": {}, "message": "why"}, "why", ""),
        ({"error": ["why"]}, '["why"]', ""),
        ({"detail": {"loc": 1}}, '{"loc":1}', ""),
        ({"error": {"message": {"a": "b" * 5000}}}, '{"a":"' + "b" * 1994, ""),
    ],
)
def test_the_forms_of_a_refusal(body: object, message: str, code: str) -> None:
    assert (message_of(body), code_of(body)) == (message, code)


@pytest.mark.parametrize("body", [None, "why", 1, [], {}, {"error": None}, {"error": {}}])
def test_a_body_that_says_nothing(body: object) -> None:
    assert (message_of(body), code_of(body)) == ("", "")


def test_a_message_that_is_nested_too_deeply() -> None:
    nested: object = "why"
    for _ in range(1000):
        nested = [nested]
    assert message_of({"message": nested}) == ""


@pytest.mark.parametrize(
    ("body", "lacks"),
    [
        ({"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}, True),
        ({"error": {"code": None, "type": "insufficient_quota"}}, True),
        ({"error": {"code": "billing_not_active", "type": "invalid_request_error"}}, True),
        ({"type": "error", "error": {"type": "billing_error"}}, True),
        ({"code": "insufficient_quota"}, True),
        ({"error": {"details": {"error_code": "enforced_spend_limit_reached"}}}, True),
        ({"error": {"details": ["enforced_spend_limit_reached"], "code": {}}}, False),
        ({"error": {"code": "rate_limit_exceeded", "type": "requests"}}, False),
        ({"error": "insufficient_quota"}, False),
        (None, False),
    ],
)
def test_an_account_without_credit(body: object, lacks: bool) -> None:
    assert lacks_credit(body) is lacks
