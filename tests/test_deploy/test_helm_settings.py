"""The chart's `config` has the proxy's settings under their names, and the proxy accepts them."""

import json
from pathlib import Path
from typing import Any

import pytest

from proxy.client_settings import ClientSettings
from proxy.kinds import KINDS
from proxy.provider_settings import ProviderSettings
from proxy.settings import Settings, load
from tests.test_deploy.helm import CHART, container_of, one, render, variables

# Each has its own place in the chart: Secrets, or a value that the chart sets itself.
ELSEWHERE = {"secret_key", "client_tokens", "admin_host"}

# Of providers: a Secret has the first, and the second is the earlier name of another setting.
ELSEWHERE_OF_PROVIDERS = {"api_key", "small_batches"}


@pytest.fixture
def config() -> Any:
    schema = json.loads((CHART / "values.schema.json").read_text())
    return schema["properties"]["config"]["properties"]


def test_every_setting_is_in_the_chart(config: Any) -> None:
    assert set(config) == set(Settings.model_fields) - ELSEWHERE


def test_every_setting_of_a_provider_is_in_the_chart(config: Any) -> None:
    settings = set(config["providers"]["additionalProperties"]["properties"])

    assert settings == set(ProviderSettings.model_fields) - ELSEWHERE_OF_PROVIDERS


def test_every_limit_of_a_client_is_in_the_chart(config: Any) -> None:
    limits = config["clients"]["additionalProperties"]["properties"]

    assert set(limits) == set(ClientSettings.model_fields)


def test_every_kind_of_provider_is_in_the_chart(config: Any) -> None:
    kinds = config["providers"]["additionalProperties"]["properties"]["kind"]["enum"]

    assert set(KINDS) == set(kinds)


@pytest.mark.parametrize(
    "file",
    [path for path in sorted((CHART / "ci").glob("*.yaml")) if path.stem != "sidecar-values"],
    ids=lambda path: path.stem,
)
def test_the_proxy_accepts_the_rendered_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pod = one(render(CHART, {}, file), "Deployment")["spec"]["template"]["spec"]
    container = container_of(pod)
    for name, value in variables(container):
        monkeypatch.setenv(name, value)
    for variable in container["env"]:
        if "secretKeyRef" in variable.get("valueFrom", {}):
            monkeypatch.setenv(variable["name"], "a-secret-of-good-length")

    settings = load(KINDS)

    assert settings.admin_port == container["ports"][1]["containerPort"]
    assert settings.port == container["ports"][0]["containerPort"]


def test_values_become_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {
        "inline_max_bytes": 104857600,
        "trusted_proxies": ["10.0.0.0/8", "fd00::/8"],
        "allow_plaintext_aws_keys": False,
        "state_ttl": "7d",
        "upload_ttl": "",
        "clients": {"web-app": {"providers": ["openai", "gemini"], "calls_per_minute": 100000}},
        "providers": {"my-vllm": {"kind": "openai", "base_url": "http://vllm:8000/v1"}},
    }
    pod = one(render(CHART, {"config": config}), "Deployment")["spec"]["template"]["spec"]
    given = dict(variables(container_of(pod)))

    assert given["FERRY_INLINE_MAX_BYTES"] == "104857600"
    assert given["FERRY_TRUSTED_PROXIES"] == "10.0.0.0/8,fd00::/8"
    assert given["FERRY_ALLOW_PLAINTEXT_AWS_KEYS"] == "false"
    assert given["FERRY_STATE_TTL"] == "7d"
    assert given["FERRY_CLIENTS__WEB_APP__PROVIDERS"] == "openai,gemini"
    assert given["FERRY_CLIENTS__WEB_APP__CALLS_PER_MINUTE"] == "100000"
    assert given["FERRY_PROVIDERS__MY_VLLM__BASE_URL"] == "http://vllm:8000/v1"
    assert "FERRY_UPLOAD_TTL" not in given
