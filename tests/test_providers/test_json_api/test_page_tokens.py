import re
from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError, invalid_argument
from providers.json_api.client import Answer
from providers.json_api.page_tokens import (
    decode_page_token,
    encode_page_token,
    filled_page,
    leading_on,
)
from providers.resource_names import NATIVE_ID
from providers.status import Status


@given(st.from_regex(NATIVE_ID, fullmatch=True))
def test_a_token_is_read_back(native: str) -> None:
    token = encode_page_token(native)
    assert re.fullmatch(r"[\w-]+", token)
    assert decode_page_token(token) == native


@given(st.text(max_size=20))
def test_any_other_text_is_refused_or_names_an_id(token: str) -> None:
    refusal: FerryError | None
    try:
        native = decode_page_token(token)
    except FerryError as error:
        refusal = error
    else:
        refusal = None if NATIVE_ID.fullmatch(native) else invalid_argument("no id")
    assert refusal is None or (refusal.status, refusal.path) == (
        Status.INVALID_ARGUMENT,
        "pageToken",
    )


@pytest.mark.parametrize("after", ["", "..", "a/b", "a b", "a\nb"])
def test_a_token_of_an_invalid_id(after: str) -> None:
    with pytest.raises(FerryError):
        decode_page_token(encode_page_token(after))


async def test_only_as_many_objects_as_a_page_needs_are_looked_up() -> None:
    looked_up: list[str] = []

    async def pages() -> AsyncGenerator[Sequence[tuple[Answer, str]], None]:
        yield [(Answer({"id": f"n{number}"}), f"n{number}") for number in range(60)]

    async def shown(objects: Sequence[Answer]) -> list[Answer]:
        looked_up.extend(native.id for native in objects)
        return [native for native in objects if native.id != "n1"]

    listed, token = await filled_page(pages(), 5, shown)
    assert [native.id for native in listed] == ["n0", "n2", "n3", "n4", "n5"]
    assert token == encode_page_token("n5")
    assert len(looked_up) == 12


@pytest.mark.parametrize(("asked", "found"), [(None, None), (None, "a"), ("a", "b"), ("a", None)])
def test_a_token_for_the_next_page(asked: str | None, found: str | None) -> None:
    assert leading_on("openai", asked, found) == found


def test_a_token_that_leads_to_its_own_page_is_the_upstreams_fault() -> None:
    with pytest.raises(FerryError, match="same page") as caught:
        leading_on("openai", "a", "a")
    assert caught.value.status == Status.UNAVAILABLE
