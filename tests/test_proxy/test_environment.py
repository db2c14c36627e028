"""The names of variables: unknown, misspelt, repeated, and those that Kubernetes injects."""

from pathlib import Path

import pytest

from proxy.environment import injected_variables
from proxy.provider_settings import ProviderSettings
from proxy.settings import Settings, load
from tests.test_proxy.settings_loading import KINDS, problems, toml

_PROVIDER_FIELDS = tuple(ProviderSettings.model_fields)

pytestmark = pytest.mark.usefixtures("no_settings")


@pytest.mark.parametrize(
    "variable",
    [
        "FERRY_PROVIDERS",
        "FERRY_PORT__OTHER",
        "FERRY_API_KEY",  # of which provider?
        "FERRY_PROVIDERS__OPENAI__SECRET",
    ],
)
def test_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "sk-secret")
    assert problems() == [f"{variable} is not a setting"]


def test_a_misspelt_variable_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_UPLOAD_TLT", "1h")
    assert problems() == ["FERRY_UPLOAD_TLT is not a setting; did you mean FERRY_UPLOAD_TTL?"]


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("FERRY_HOTS", "FERRY_HOST"),
        ("FERRY_PORTT", "FERRY_PORT"),
        ("FERRY_FERRY_PORT", "FERRY_PORT"),
        ("FERRY_CONFG", "FERRY_CONFIG"),
        ("FERRY_TLS_CERTIFICATE", "FERRY_TLS_CERT"),
        ("FERRY_CA_BUNDLE", "FERRY_UPSTREAM_CA_BUNDLE"),
        ("FERRY_DRAIN_GRACE", "FERRY_DRAIN_GRACE_SECONDS"),
        ("FERRY_OPENAI_API_KEY", "FERRY_PROVIDERS__OPENAI__API_KEY"),
        ("FERRY_PROVIDERS__OPENAI__BASEURL", "FERRY_PROVIDERS__OPENAI__BASE_URL"),
        ("FERRY_PROVIDERS__MY_VLLM__APIKEY", "FERRY_PROVIDERS__MY_VLLM__API_KEY"),
        ("FERRY_PROVIDERS_OPENAI_BASE_URL", "FERRY_PROVIDERS__OPENAI__BASE_URL"),
        ("FERRY_PROVIDERS__OPENAI_BASE_URL", "FERRY_PROVIDERS__OPENAI__BASE_URL"),
    ],
)
def test_a_misspelt_nested_name_gets_a_hint(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "http://secret")
    assert problems() == [f"{variable} is not a setting; did you mean {meant}?"]


@pytest.mark.parametrize("name", ["ferry_port", "FERRY_port"])
def test_a_variable_in_two_spellings_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("FERRY_PORT", "1")
    monkeypatch.setenv(name, "2")
    assert problems() == [f"FERRY_PORT and {name} are the same setting; give only one of them"]


def test_one_provider_may_be_spelled_in_two_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_PROVIDERS__MY_VLLM__KIND", "openai")
    monkeypatch.setenv("FERRY_PROVIDERS__my-vllm__UPLOADS", "staged")
    expected = ProviderSettings(kind="openai", uploads="staged")
    assert load(KINDS).providers["my-vllm"] == expected
    monkeypatch.setenv("FERRY_PROVIDERS__my-vllm__KIND", "openai")
    assert problems() == [
        "FERRY_PROVIDERS__MY_VLLM__KIND and FERRY_PROVIDERS__my-vllm__KIND are the same setting; "
        "give only one of them"
    ]


# --- what Kubernetes injects -----------------------------------------------------------------

INJECTED = {
    "FERRY_PORT": "tcp://10.0.0.1:8080",
    "FERRY_SERVICE_HOST": "10.0.0.1",
    "FERRY_SERVICE_PORT": "8080",
    "FERRY_SERVICE_PORT_HTTP": "8080",
    "FERRY_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "FERRY_PORT_8080_TCP_PROTO": "tcp",
    "FERRY_PORT_8080_TCP_PORT": "8080",
    "FERRY_PORT_8080_TCP_ADDR": "10.0.0.1",
    "FERRY_PORT_53_UDP_ADDR": "10.0.0.1",
    "FERRY_PORT_99_SCTP": "sctp://10.0.0.1:99",
    "FERRY_ADMIN_PORT": "tcp://10.0.0.2:80",
    "FERRY_ADMIN_SERVICE_HOST": "10.0.0.2",
    "FERRY_ADMIN_SERVICE_PORT": "80",
    "FERRY_ADMIN_PORT_80_TCP_ADDR": "10.0.0.2",
    "FERRY_DNS_PORT": "udp://10.0.0.3:53",
}


def test_variables_that_kubernetes_injects_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in INJECTED.items():
        monkeypatch.setenv(name, value)
    assert (load(KINDS).port, load(KINDS).admin_port) == (8080, None)
    assert load(KINDS, toml(tmp_path, "port = 5")).port == 5
    assert injected_variables() == sorted(INJECTED)


@pytest.mark.parametrize(
    "variable",
    [*Settings.model_fields, *(f"providers__a_service_port__{f}" for f in _PROVIDER_FIELDS)],
)
def test_no_setting_is_mistaken_for_an_injected_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(f"FERRY_{variable.upper()}", "8080")
    assert injected_variables() == []


@pytest.mark.parametrize(
    "variable",
    ["FERRY_SERVICE", "FERRY_SERVICE_HOSTS", "FERRY_PORT_TCP", "FERRY_PORT_X_TCP"],
)
def test_a_variable_that_only_looks_injected_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "8080")
    [sentence] = problems()
    assert sentence.startswith(f"{variable} is not a setting")


def test_an_address_of_a_provider_is_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__BASE_URL", "tcp://10.0.0.1:8080")
    [sentence] = problems()
    assert sentence.startswith("FERRY_PROVIDERS__OPENAI__BASE_URL: must be an address")
