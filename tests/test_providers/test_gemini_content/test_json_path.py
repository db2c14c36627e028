import pytest

from providers.gemini_content.json_path import item, member


@pytest.mark.parametrize(
    ("parent", "key", "path"),
    [
        ("", "contents", "contents"),
        ("request", "contents", "request.contents"),
        ("request", "odd key", 'request["odd key"]'),
        ("request", "$ref", 'request["$ref"]'),
        ("request", "1st", 'request["1st"]'),
        ("request", "", 'request[""]'),
        ("request", "a\n", 'request["a\\n"]'),
        ("", "a.b", '["a.b"]'),
        ("request", 'say "hi"', 'request["say \\"hi\\""]'),
    ],
)
def test_member(parent: str, key: str, path: str) -> None:
    assert member(parent, key) == path


def test_item() -> None:
    assert item("contents", 3) == "contents[3]"
