"""The tokens of clients, and the optional limits of those that have a name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

from middlewares.clients import CallLimit, Client, Clients, bare_client, named_client
from proxy.setting_values import canonical_name, check_name, is_key, parse_list, whole_number
from proxy.settings_problems import Problem, must_be_one_of, variable

# Each process remembers the time of each of these calls.
_MOST_CALLS: Final = 100_000


@dataclass(frozen=True, slots=True)
class ClientToken:
    """`secret` is what an SDK gets as its `api_key`. `name` is empty for a token without one."""

    name: str
    secret: SecretStr

    def __str__(self) -> str:
        """With the secret as stars."""
        return f"{self.name}={self.secret}" if self.name else str(self.secret)


def parse_client_tokens(value: object) -> tuple[ClientToken, ...]:
    texts = parse_list(value)
    if not all(is_key(text) and "," not in text for text in texts):
        raise ValueError("each token must be visible ASCII characters, without spaces or commas")
    tokens = tuple(map(_parse_client_token, texts))
    if len({token.secret for token in tokens}) < len(tokens):
        raise ValueError("each token must be unique, since it identifies one client")
    return tokens


def _parse_client_token(text: str) -> ClientToken:
    """`name=token` or `token`; base64 in a token may end in equals signs."""
    name, _, token = text.rstrip("=").partition("=")
    if not token:
        return ClientToken("", SecretStr(text))
    try:
        name = check_name(canonical_name(name), "client")
    except ValueError as error:
        raise ValueError(f"in name=token, {error}") from None
    return ClientToken(name, SecretStr(text.partition("=")[2]))


def _parse_names(value: object) -> tuple[str, ...]:
    return tuple(map(canonical_name, parse_list(value)))


class ClientSettings(BaseModel):
    """`providers` None: all of them. `calls_per_minute` None: without a limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    providers: Annotated[tuple[str, ...] | None, BeforeValidator(_parse_names)] = None
    calls_per_minute: Annotated[int, whole_number(1, _MOST_CALLS)] | None = None


def clients_of(tokens: Sequence[ClientToken], settings: Mapping[str, ClientSettings]) -> Clients:
    named = {
        name: _named(name, settings.get(name, ClientSettings()))
        for name in {token.name for token in tokens if token.name}
    }
    found: dict[str, Client] = {}
    for token in tokens:
        secret = token.secret.get_secret_value()
        found[secret] = named[token.name] if token.name else bare_client(secret)
    return Clients(found)


def _named(name: str, settings: ClientSettings) -> Client:
    allowed, calls = settings.providers, settings.calls_per_minute
    return named_client(
        name,
        None if allowed is None else frozenset(allowed),
        None if calls is None else CallLimit(calls),
    )


def client_problems(
    tokens: Sequence[ClientToken],
    settings: Mapping[str, ClientSettings],
    ambient: Sequence[str],
) -> Iterator[Problem]:
    """`ambient` are the providers that clients with a token can use."""
    known = {token.name for token in tokens}
    for name, client in settings.items():
        try:
            check_name(name, "client")
        except ValueError as error:
            yield Problem(("clients", name), f": {error}")
            continue
        if name not in known:
            text = f": no token in {variable('client_tokens')} has this name"
            yield Problem(("clients", name), text)
        for provider in client.providers or ():
            if provider not in ambient:
                text = "must be a list of providers whose credentials are ambient"
                setting = ("clients", name, "providers")
                yield Problem(setting, f": {text}: each {must_be_one_of(ambient, provider)}")
                break
