"""The README's table and deploy/genai-ferry.toml name every setting once, with its default."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from proxy.client_settings import ClientSettings
from proxy.kinds import KINDS
from proxy.provider_settings import ProviderSettings
from proxy.settings import MIB, Settings, load

HOUR = timedelta(hours=1)
ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "genai-ferry.toml"

# Earlier names are mentioned, but not recommended by a line of their own.
EARLIER_NAMES = {"small_batches"}
COMMON = {"kind", "base_url", "credentials", "api_key"}
GENERAL = set(Settings.model_fields) - {"providers", "clients"}
OF_CLIENTS = set(ClientSettings.model_fields)
OF_PROVIDERS = set(ProviderSettings.model_fields) - EARLIER_NAMES


def owners(field: str) -> set[str]:
    """The kinds that have a setting which not all of them have."""
    return {name for name, kind in KINDS.items() if field in kind.settings}


# --- the README's table ----------------------------------------------------------------------

OF_KINDS = re.compile(r"\((\w+(?:, \w+)*)\)")
NAME = re.compile(r"`(FERRY_|…__)([A-Z0-9_<>]+)`")
PROVIDERS = "FERRY_PROVIDERS__<NAME>__"
CLIENTS = "clients__<name>__"


@dataclass(frozen=True)
class Row:
    """`names` as in the code; `default` has a default for each, or one for all of them."""

    names: tuple[str, ...]
    of_providers: bool
    kinds: set[str]
    default: str


def rows() -> Iterator[Row]:
    text = (ROOT / "README.md").read_text()
    table = text.partition("\n| setting | default | meaning |\n|---|---|---|\n")[2]
    for line in table.partition("\n\n")[0].splitlines():
        first, default, _ = re.split(r" \| ", line.strip("| "), maxsplit=2)
        found = [prefix + name for prefix, name in NAME.findall(first)]
        assert found, line
        of_providers = [name.startswith((PROVIDERS, "…__")) for name in found]
        assert len(set(of_providers)) == 1, line
        names = [name.removeprefix(PROVIDERS).removeprefix("…__") for name in found]
        yield Row(
            tuple(name.removeprefix("FERRY_").lower() for name in names),
            of_providers[0],
            {kind for listed in OF_KINDS.findall(first) for kind in listed.split(", ")},
            default,
        )


def test_the_readmes_table_has_every_setting_once() -> None:
    found = [(row.of_providers, name) for row in rows() for name in row.names]
    expected = {(False, name) for name in GENERAL} | {(True, name) for name in OF_PROVIDERS}
    expected |= {(False, CLIENTS + name) for name in OF_CLIENTS}
    assert sorted(found) == sorted(expected)


def test_the_readmes_table_names_the_kinds_of_each_setting() -> None:
    named = {name: row.kinds for row in rows() if row.of_providers for name in row.names}
    assert named == {name: owners(name) for name in OF_PROVIDERS}


def shown(value: object) -> str:
    """A default as the README shows it."""
    match value:
        case None | ():
            return "unset"
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{value.days}d`" if value.days > 1 else f"`{value // HOUR}h`"
        case int() if value >= MIB:
            return f"{value // MIB} MiB"
        case int() | float():
            return f"`{value:g}`"
        case _:
            return f"`{value}`"


# Cells that say in words what the default is.
IN_WORDS = {
    "admin_host": "`FERRY_HOST`",
    "trusted_proxies": "loopback",
    "secret_key": "random at each start",
    "state_url": "`~/.local/state/genai-ferry` as `file://`",
    "state_s3_endpoint_url": "AWS's own",
    "state_s3_sse": "the bucket's own default",
    "kind": "the name, if it is `gemini`, `openai`, `anthropic`, `mistral` or `bedrock`",
    "base_url": "the provider's public address",
    "runtime_url": "AWS's own; for the first `BASE_URL` if that is set",
    "s3_endpoint_url": "AWS's own; for the first `BASE_URL` if that is set",
}


def test_the_readmes_table_has_the_defaults() -> None:
    of_clients = {CLIENTS + name: field for name, field in ClientSettings.model_fields.items()}
    general = {**Settings.model_fields, **of_clients}
    for row in rows():
        fields = ProviderSettings.model_fields if row.of_providers else general
        expected = [IN_WORDS.get(name) or shown(fields[name].default) for name in row.names]
        one_for_all = expected[0] if len(set(expected)) == 1 else None
        assert row.default in (", ".join(expected), one_for_all)


# --- deploy/genai-ferry.toml -----------------------------------------------------------------

SETTING = re.compile(r"^#(?=[a-z0-9_]+ = |\[)", re.MULTILINE)


def uncommented() -> dict[str, Any]:
    """The file's content if every setting in it is set. TOML refuses a repeated name."""
    return tomllib.loads(SETTING.sub("", FILE.read_text()))


def test_the_file_has_every_setting_once() -> None:
    content = uncommented()
    providers = content.pop("providers")
    (client,) = content.pop("clients").values()
    assert set(client) == OF_CLIENTS
    assert set(content) == GENERAL
    assert set(providers.pop("my-server")) == COMMON
    assert {name: set(settings) for name, settings in providers.items()} == {
        name: set(kind.settings) - EARLIER_NAMES for name, kind in KINDS.items() if kind.settings
    }


def test_the_file_shows_the_defaults() -> None:
    """Where there is none, the comment above says so, and the value is an example."""
    settings = Settings(**uncommented())
    pairs: list[tuple[FieldInfo, Any, str]] = [
        (Settings.model_fields[name], getattr(settings, name), name) for name in GENERAL
    ]
    pairs += [
        (ProviderSettings.model_fields[name], getattr(provider, name), name)
        for provider in settings.providers.values()
        for name in provider.model_fields_set
    ]
    pairs += [
        (ClientSettings.model_fields[name], getattr(client, name), name)
        for client in settings.clients.values()
        for name in client.model_fields_set
    ]
    for field, value, name in pairs:
        has_default = field.default_factory is None and field.default is not None
        assert has_default != (name in without_default()), name
        if has_default:
            assert value == field.default, name


def without_default() -> set[str]:
    """The settings whose comment has the word "Unset"."""
    found = set()
    for block in FILE.read_text().split("\n\n"):
        if "Unset:" in block:
            found |= set(re.findall(r"^#([a-z0-9_]+) = ", block, re.MULTILINE))
    return found


def test_as_it_is_the_file_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FERRY_CONFIG", raising=False)
    assert load(KINDS, FILE) == load(KINDS)
