import pytest

from providers.json_api.refusal_body import code_of, has_code, message_of, parse_refusal


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
        ({"code": 1210, "msg": "why"}, "why", ""),
        ({"errors": [{"message": "why"}]}, '[{"message":"why"}]', ""),
        ({"detail": {"loc": 1}}, '{"loc":1}', ""),
        ({"error": {"message": {"a": "b" * 5000}}}, '{"a":"' + "b" * 1994, ""),
    ],
)
def test_the_formats_of_a_refusal(body: object, message: str, code: str) -> None:
    assert (message_of(body), code_of(body)) == (message, code)


PROBLEM = {"type": "missing", "loc": ["body", "messages", 0], "msg": "wrong", "input": "a secret"}


@pytest.mark.parametrize(
    "body",
    [
        {"detail": [PROBLEM, PROBLEM]},
        {"object": "error", "message": {"detail": [PROBLEM, PROBLEM]}, "type": "t"},
        {"message": [PROBLEM, PROBLEM]},
    ],
)
def test_a_list_of_problems_is_read_without_the_clients_values(body: object) -> None:
    assert message_of(body) == "body.messages.0: wrong; body.messages.0: wrong"


def test_few_of_many_problems_are_shown() -> None:
    assert message_of({"detail": [PROBLEM] * 99}).count("wrong") == 10
    assert message_of({"detail": [{**PROBLEM, "loc": []}]}) == "wrong"


@pytest.mark.parametrize("detail", [[PROBLEM, {"loc": 1}], [PROBLEM, "b"]])
def test_a_list_of_anything_else_is_shown_as_json(detail: list[object]) -> None:
    assert message_of({"detail": detail}).startswith('[{"type":')


@pytest.mark.parametrize("body", [None, "why", 1, [], {}, {"error": None}, {"error": {}}])
def test_a_body_without_a_message(body: object) -> None:
    assert (message_of(body), code_of(body)) == ("", "")


def test_a_message_that_is_nested_too_deeply() -> None:
    nested: object = "why"
    for _ in range(1000):
        nested = [nested]
    assert message_of({"message": nested}) == ""


@pytest.mark.parametrize(
    ("body", "has"),
    [
        ({"error": {"code": "no_quota", "type": "no_quota"}}, True),
        ({"error": {"code": None, "type": "no_quota"}}, True),
        ({"error": {"code": "not_active", "type": "invalid_request_error"}}, True),
        ({"type": "error", "error": {"type": "not_active"}}, True),
        ({"code": "no_quota"}, True),
        ({"error": {"details": {"error_code": "no_quota"}}}, True),
        ({"error": {"details": ["no_quota"], "code": {}}}, False),
        ({"error": {"code": "rate_limit_exceeded", "type": "requests"}}, False),
        ({"error": "no_quota"}, False),
        (None, False),
    ],
)
def test_one_of_several_codes(body: object, has: bool) -> None:
    assert has_code(body, {"no_quota", "not_active"}) is has


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"error": {"message": "why"}}', "why"),
        # As Google's server with OpenAI's API writes it.
        (b'[{"error": {"message": "why", "code": 400}}]', "why"),
        # As some servers refuse a stream.
        (b'data: {"error": {"message": "why"}}\n\ndata: [DONE]\n\n', "why"),
        (b"the model\nis loading\n", "the model is loading"),
        ("zu lang: é".encode(), "zu lang: é"),
        (b"a" * 3000, "a" * 2000),
        # What says nothing:
        (b"", ""),
        (b"404 page not found", ""),
        (b"<html>why</html>", ""),
        (b'{"error": {"message": "why', ""),
        (b"why\x00", ""),
        (b"why\xff", ""),
        (b"[]", ""),
        (b"1", ""),
    ],
)
def test_the_bodies_of_refusals(data: bytes, message: str) -> None:
    assert message_of(parse_refusal(data)) == message
