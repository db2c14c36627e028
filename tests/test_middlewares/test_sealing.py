"""An upload URL opens only unchanged, with its own path tail, and with one of our secrets."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from middlewares.sealing import SealedUpload, UploadUrls
from providers.credential import Caller, Credential
from providers.errors import FerryError
from providers.uploads.upload_target import new_session_id
from tests.memory_state import MemoryState


def _urls(*secrets: str) -> UploadUrls:
    return UploadUrls(secrets, MemoryState(), ttl=60)


TAIL = "upload/files"
URLS = _urls("new-secret-of-good-length")
OLD = _urls("old-secret-of-good-length")
BOTH = _urls("new-secret-of-good-length", "old-secret-of-good-length")
UPLOAD = SealedUpload(
    session=new_session_id("openai"),
    tenant="ab" * 16,
    provider="openai",
    expires=2_000_000_000,
    details={"size": "71", "filename": "r\u00e9sum\u00e9"},
    scoping={"openai-project": "p"},
    sealed_caller="",
)
TOKEN = URLS.seal(UPLOAD, TAIL)
URL_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"


def test_a_sealed_value_opens() -> None:
    assert URLS.open(TOKEN, TAIL) == UPLOAD


@pytest.mark.parametrize(
    "token", ["\udc80", "a.\udc80.b", f"{TOKEN}\udc80", "\u00e9.\u00e9.\u00e9"]
)
def test_text_that_no_token_has_does_not_open(token: str) -> None:
    assert URLS.open(token, TAIL) is None


def test_a_token_needs_no_escaping() -> None:
    assert set(TOKEN) <= set(URL_CHARACTERS)


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from(URL_CHARACTERS))
def test_any_changed_character_makes_it_invalid(position: int, character: str) -> None:
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    assert (URLS.open(changed, TAIL) is None) == (changed != TOKEN)


@given(st.integers(0, len(TOKEN) - 1))
def test_truncated_it_does_not_open(length: int) -> None:
    assert URLS.open(TOKEN[:length], TAIL) is None
    assert URLS.open(TOKEN[length + 1 :], TAIL) is None


@given(st.text(min_size=1, max_size=8))
def test_with_anything_added_it_does_not_open(more: str) -> None:
    assert URLS.open(TOKEN + more, TAIL) is None
    assert URLS.open(more + TOKEN, TAIL) is None


@given(st.text(max_size=60))
def test_no_text_is_an_error(text: str) -> None:
    assert URLS.open(text, TAIL) is None


@given(st.text(max_size=40))
def test_for_another_tail_it_does_not_open(tail: str) -> None:
    assert (URLS.open(TOKEN, tail) is None) == (tail != TAIL)


@pytest.mark.parametrize("place", [0, 1], ids=["session", "tenant"])
def test_parts_of_two_tokens_cannot_be_combined(place: int) -> None:
    other = replace(UPLOAD, session=new_session_id("openai"), tenant="cd" * 16)
    pieces = TOKEN.split(".")
    pieces[place] = URLS.seal(other, TAIL).split(".")[place]
    assert URLS.open(".".join(pieces), TAIL) is None


def test_another_secret_does_not_open_it() -> None:
    assert OLD.open(TOKEN, TAIL) is None


def test_rotation_opens_the_old_and_seals_with_the_new() -> None:
    assert BOTH.open(OLD.seal(UPLOAD, TAIL), TAIL) == UPLOAD
    assert BOTH.open(TOKEN, TAIL) == UPLOAD
    sealed = BOTH.seal(UPLOAD, TAIL)
    assert URLS.open(sealed, TAIL) == UPLOAD
    assert OLD.open(sealed, TAIL) is None


def test_two_seals_of_the_same_differ() -> None:
    assert URLS.seal(UPLOAD, TAIL) != TOKEN


def test_a_value_too_long_for_a_request_line_is_refused() -> None:
    long = replace(UPLOAD, details={"filename": "a" * 6000})
    with pytest.raises(FerryError, match="together too long") as refusal:
        URLS.seal(long, TAIL)
    assert refusal.value.code == 400


# --- the caller inside --------------------------------------------------------------------------

KEY = b"k" * 32
CALLER = Caller(Credential("sk-secret", "bearer-secret"), UPLOAD.tenant, {"openai-project": "p"})


def sealed_with(urls: UploadUrls, session: str = UPLOAD.session) -> SealedUpload:
    inner = urls.seal_caller(CALLER, session, KEY)
    opened = urls.open(urls.seal(replace(UPLOAD, sealed_caller=inner), TAIL), TAIL)
    assert opened is not None
    return opened


def test_the_caller_opens_with_the_sessions_key() -> None:
    assert URLS.open_caller(sealed_with(URLS), KEY) == CALLER


@given(st.binary(min_size=1, max_size=40))
def test_the_caller_opens_with_no_other_key(key: bytes) -> None:
    assert (URLS.open_caller(sealed_with(URLS), key) is None) == (key != KEY)


def test_the_caller_of_another_session_does_not_open() -> None:
    assert URLS.open_caller(sealed_with(URLS, "another"), KEY) is None


def test_the_caller_survives_rotation() -> None:
    upload = replace(UPLOAD, sealed_caller=OLD.seal_caller(CALLER, UPLOAD.session, KEY))
    opened = BOTH.open(OLD.seal(upload, TAIL), TAIL)
    assert opened is not None
    assert BOTH.open_caller(opened, KEY) == CALLER


@pytest.mark.parametrize("shown", [UPLOAD, CALLER, CALLER.credential, sealed_with(URLS)])
def test_no_repr_shows_a_secret(shown: Any) -> None:
    assert "secret" not in repr(shown)


def test_keys_are_derived_once() -> None:
    """Each request asks for an identity, and each chunk opens its URL."""
    urls = _urls("new-secret-of-good-length", "old-secret-of-good-length")
    with patch("middlewares.sealing._derive", side_effect=AssertionError):
        assert urls.open(TOKEN, TAIL) == urls.open(urls.seal(UPLOAD, TAIL), TAIL) == UPLOAD
        assert urls.identity("openai", Credential("a"), {})
