"""The names and the limits of clients."""

from pathlib import Path

import pytest

from proxy.client_settings import parse_client_tokens
from proxy.settings import load
from tests.test_proxy.settings_loading import KINDS, problems, toml

AMBIENT = {
    "PROVIDERS__OPENAI__CREDENTIALS": "ambient",
    "PROVIDERS__OPENAI__API_KEY": "sk-own",
    "CLIENT_TOKENS": "acme-team=a-token-of-acme",
}


def given(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in {**AMBIENT, **variables}.items():
        monkeypatch.setenv(f"FERRY_{name}", value)


@pytest.mark.parametrize(
    ("text", "name", "secret"),
    [
        ("token", "", "token"),
        ("acme=token", "acme", "token"),
        ("Acme_Team=token", "acme-team", "token"),
        ("acme=token==", "acme", "token=="),
        ("acme=to=ken", "acme", "to=ken"),
        # Base64 ends in equals signs.
        ("dG9rZW4=", "", "dG9rZW4="),
        ("dG9rZQ==", "", "dG9rZQ=="),
    ],
)
def test_a_token_may_have_a_name(text: str, name: str, secret: str) -> None:
    (token,) = parse_client_tokens(text)
    assert (token.name, token.secret.get_secret_value()) == (name, secret)
    assert secret not in f"{token!r} {token}"


def test_limits_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given(
        monkeypatch,
        CLIENTS__ACME_TEAM__PROVIDERS="OpenAI",
        CLIENTS__ACME_TEAM__CALLS_PER_MINUTE="60",
    )
    (name,) = (clients := load(KINDS).clients)
    assert name == "acme-team"
    assert (clients[name].providers, clients[name].calls_per_minute) == (("openai",), 60)


def test_limits_are_read_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch, CLIENTS__ACME_TEAM__CALLS_PER_MINUTE="5")
    file = toml(tmp_path, '[clients.Acme-Team]\nproviders = ["openai"]\ncalls_per_minute = 60\n')
    client = load(KINDS, file).clients["acme-team"]
    assert (client.providers, client.calls_per_minute) == (("openai",), 5)


def test_without_limits_a_client_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch)
    assert load(KINDS).clients == {}


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("ACME_TEAM__CALLS_PER_MINUTE", "0", ": must be a whole number from 1 to 100000"),
        ("ACME_TEAM__CALLS_PER_MINUTE", "many", ": must be a whole number from 1 to 100000"),
        (
            "ACME_TEAM__CALLS_PER_MINUTES",
            "1",
            " is not a setting; did you mean FERRY_CLIENTS__ACME_TEAM__CALLS_PER_MINUTE?",
        ),
        ("ACME__CALLS_PER_MINUTE", "1", "no token in FERRY_CLIENT_TOKENS has this name"),
        ("ACME_TEAM__PROVIDERS", "gemini", "must be a list of providers whose credentials are amb"),
        ("ACME_TEAM__PROVIDERS", "opnai", "must be one of openai; did you mean openai?"),
        ("A.B__CALLS_PER_MINUTE", "1", "a client's name may contain only letters, digits, - and _"),
    ],
)
def test_an_invalid_limit_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    given(monkeypatch, **{f"CLIENTS__{variable}": value})
    (found,) = problems()
    assert found.startswith("FERRY_CLIENTS__")
    assert problem in found


def test_a_client_is_given_once_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given(monkeypatch)
    text = "[clients.acme-team]\n[clients.Acme_Team]\ncalls_per_minute = 1\n"
    (found,) = problems(toml(tmp_path, text))
    assert found.endswith("acme-team and Acme_Team are the same name; give the client only once")
