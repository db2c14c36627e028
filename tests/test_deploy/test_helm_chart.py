"""The chart renders valid manifests with every values file, and refuses values that are unsafe."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.test_deploy.helm import CHART, EXAMPLE_APP, helm, one, refusal, render, validate
from tests.test_packaging import ROOT, project

VALUES_FILES = sorted((CHART / "ci").glob("*.yaml"))
BUCKET = {"state_url": "s3://my-bucket/ferry"}
SECRET_KEY = {"existingSecret": "ferry"}
AMBIENT = {"providers": {"my-openai": {"kind": "openai", "credentials": "ambient"}}}


def test_the_default_values_are_valid_manifests() -> None:
    manifests = render()

    validate(manifests)
    assert {each["kind"] for each in manifests} == {
        "Deployment",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }


@pytest.mark.parametrize("file", VALUES_FILES, ids=lambda path: path.stem)
def test_a_values_file_renders_valid_manifests(file: Path) -> None:
    validate(render(CHART, {}, file))


def test_the_values_files_render_every_kind_between_them() -> None:
    files = {kind for file in VALUES_FILES for kind in _kinds(render(CHART, {}, file))}
    templates = [path.read_text() for path in (CHART / "templates").glob("*.yaml")]
    in_templates = {
        line.removeprefix("kind: ")
        for text in templates
        for line in text.splitlines()
        if line.startswith("kind: ")
    }
    assert files == in_templates


def _kinds(manifests: Any) -> set[str]:
    return {each["kind"] for each in manifests}


@pytest.mark.parametrize("file", [None, *VALUES_FILES], ids=lambda path: path and path.stem)
def test_helm_lint_finds_nothing(file: Path | None) -> None:
    done = helm("lint", "--strict", str(CHART), *(["--values", str(file)] if file else []))

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validation_refuses_an_unknown_field() -> None:
    service = dict(one(render(), "Service"))
    service["spec"] = {**service["spec"], "prots": []}

    with pytest.raises(kubernetes_validate.ValidationError, match="prots"):
        validate([service])


@pytest.mark.parametrize("chart", [CHART, EXAMPLE_APP], ids=lambda path: path.name)
def test_a_chart_has_the_version_of_the_program(chart: Path) -> None:
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text())

    assert metadata["version"] == metadata["appVersion"] == project()["version"]


def test_the_chart_names_no_digest() -> None:
    for path in (ROOT / "deploy" / "helm").rglob("*.yaml"):
        for line in path.read_text().splitlines():
            assert "sha256:" not in line.replace("sha256:" + 64 * "0", "").replace("sha256:…", "")


def test_values_have_the_names_of_helms_scaffold(tmp_path: Path) -> None:
    """Two have another name, since they are in addition to what the chart itself mounts."""
    assert helm("create", str(tmp_path / "scaffold")).returncode == 0
    scaffold = yaml.safe_load((tmp_path / "scaffold" / "values.yaml").read_text())
    ours = yaml.safe_load((CHART / "values.yaml").read_text())

    missing = set(_names(scaffold)) - set(_names(ours))
    assert missing == {"volumes", "volumeMounts"}
    assert {"extraVolumes", "extraVolumeMounts"} <= ours.keys()


def _names(values: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield prefix + name
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{name}.")


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"replicas": 2}, "additional properties 'replicas' not allowed"),
        ({"config": {"portt": 80}}, "'portt' not allowed"),
        ({"config": {"secret_key": "k" * 16}}, "'secret_key' not allowed"),
        ({"config": {"providers": {"openai": {"api_key": "sk-x"}}}}, "'api_key' not allowed"),
        ({"config": {"providers": {"openai": {"credential": "ambient"}}}}, "'credential' not"),
        ({"autoscaling": {"max": 3}}, "'max' not allowed"),
        ({"ingress": {"host": "x"}}, "'host' not allowed"),
        ({"service": {"ports": 80}}, "'ports' not allowed"),
        ({"config": {"state_url": "file:///state"}}, "/config/state_url"),
        ({"config": {"public_url": "host.example"}}, "/config/public_url"),
        ({"config": {"state_url": "s3://bucket/a #b"}}, "/config/state_url"),
        ({"config": {"tls_cert": "/tls/tls.crt"}}, "missing property 'tls_key'"),
        ({"config": {"host": "127.0.0.1"}}, "/config/host"),
        ({"image": {"digest": "sha256:1234"}}, "/image/digest"),
        ({"image": {"repository": "host:5000/ferry:1"}}, "/image/repository"),
        ({"image": {"repository": "ferry@sha256:00"}}, "/image/repository"),
        ({"image": {"tag": "a b"}}, "/image/tag"),
        ({"nameOverride": "A_b"}, "/nameOverride"),
        ({"fullnameOverride": "a.b"}, "/fullnameOverride"),
        ({"podLabels": {"app.kubernetes.io/name": "x"}}, "app.kubernetes.io/name"),
        ({"mode": "daemonset"}, "/mode"),
    ],
    ids=str,
)
def test_an_unknown_or_malformed_value_is_refused(values: dict[str, Any], where: str) -> None:
    assert where in refusal(values)


@pytest.mark.parametrize("more", [{"replicaCount": 2}, {"autoscaling": {"enabled": True}}], ids=str)
def test_replicas_need_a_shared_state_and_a_secret_key(more: dict[str, Any]) -> None:
    assert "/config/state_url" in refusal({**more, "secretKey": SECRET_KEY})
    assert "/secretKey/existingSecret" in refusal({**more, "config": BUCKET})

    validate(render(CHART, {**more, "secretKey": SECRET_KEY, "config": BUCKET}))


@pytest.mark.parametrize("more", [{"replicaCount": 2}, {"autoscaling": {"enabled": True}}], ids=str)
def test_a_claim_for_replicas_must_be_read_write_many(more: dict[str, Any]) -> None:
    values = {**more, "secretKey": SECRET_KEY}
    shared = {"enabled": True, "accessModes": ["ReadWriteMany"]}

    assert "/persistence/accessModes" in refusal({**values, "persistence": {"enabled": True}})
    assert "/persistence/enabled" in refusal(
        {**values, "persistence": {**shared, "enabled": False}}
    )
    validate(render(CHART, {**values, "persistence": shared}))


@pytest.mark.parametrize("route", ["ingress", "httpRoute"])
def test_an_ingress_needs_a_public_url(route: str) -> None:
    values = {route: {"enabled": True}}
    if route == "httpRoute":
        values[route]["parentRefs"] = [{"name": "gateway"}]  # type: ignore[assignment]

    assert "/config/public_url" in refusal(values)
    validate(render(CHART, {**values, "config": {"public_url": "https://host.example"}}))


def test_a_route_needs_a_gateway() -> None:
    config = {"public_url": "https://host.example"}

    assert "/httpRoute/parentRefs" in refusal({"config": config, "httpRoute": {"enabled": True}})


@pytest.mark.parametrize("mode", ["deployment", "sidecar"])
def test_ambient_credentials_need_client_tokens(mode: str) -> None:
    keys = {"my-openai": {"existingSecret": "keys", "key": "openai"}}
    values = {"mode": mode, "config": AMBIENT, "providerKeys": keys}

    assert "/clientTokens/existingSecret" in refusal(values)
    render(CHART, {**values, "clientTokens": {"existingSecret": "ferry"}})


@pytest.mark.parametrize(
    ("providers", "keys", "message"),
    [
        ({"openai": {"credentials": "ambient"}}, [], "providerKeys.openai must be set"),
        (
            {"g2": {"kind": "gemini", "credentials": "ambient"}},
            ["gemini"],
            "providerKeys.g2 must be set",
        ),
        ({}, ["openai"], "providerKeys.openai is used only"),
        ({"openai": {"credentials": "caller"}}, ["openai"], "providerKeys.openai is used only"),
        ({"bedrock": {"credentials": "ambient"}}, ["bedrock"], "providerKeys.bedrock is used only"),
    ],
)
def test_own_credentials_and_their_keys_belong_together(
    providers: dict[str, Any], keys: list[str], message: str
) -> None:
    """The proxy would refuse to start, and helm would say that the release is there."""
    secret = {"existingSecret": "keys", "key": "key"}
    values = {
        "config": {"providers": providers},
        "clientTokens": {"existingSecret": "tokens"},
        "providerKeys": dict.fromkeys(keys, secret),
    }

    assert message in refusal(values)


def test_own_credentials_on_bedrock_need_no_key() -> None:
    providers = {"bedrock": {"credentials": "ambient"}}
    tokens = {"existingSecret": "tokens"}

    validate(render(CHART, {"config": {"providers": providers}, "clientTokens": tokens}))


@pytest.mark.parametrize("providers", [{}, {"openai": {}}, {"openai": {"credentials": "caller"}}])
def test_callers_credentials_need_no_client_tokens(providers: dict[str, Any]) -> None:
    validate(render(CHART, {"config": {"providers": providers}}))


@pytest.mark.parametrize("name", ["FERRY_CLIENT_TOKENS", "Ferry_providers__openai__credentials"])
def test_a_setting_among_extra_variables_is_refused(name: str) -> None:
    """There the rules above would not see it."""
    assert "/extraEnv/0/name" in refusal({"extraEnv": [{"name": name, "value": "x"}]})


def test_a_value_that_a_template_needs_cannot_be_removed() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    required = json.loads((CHART / "values.schema.json").read_text())["required"]
    tables = {name for name, value in values.items() if isinstance(value, dict) and value}

    # toYaml renders the others as they are.
    assert tables - set(required) == {
        "podSecurityContext",
        "securityContext",
        "resources",
        *("startupProbe", "livenessProbe", "readinessProbe"),
    }
    for name in required:
        assert f"missing property '{name}'" in refusal({name: None})


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"config": {"admin_port": 8080}}, "config.admin_port must differ from config.port"),
        (
            {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}},
            "autoscaling.minReplicas must not be above autoscaling.maxReplicas",
        ),
        (
            {"config": {"providers": {n: {"kind": "openai"} for n in ("my-x", "my_x")}}},
            "config.providers.my-x and config.providers.my_x are the same name",
        ),
    ],
    ids=str,
)
def test_values_with_which_the_proxy_would_not_start_are_refused(
    values: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(values)


@pytest.mark.parametrize("release", ["a.b", "b1", "a" * 53])
def test_a_releases_name_makes_valid_names(release: str) -> None:
    manifests = render(CHART, {"serviceMonitor": {"enabled": True}}, release=release)

    validate(manifests)
    for each in manifests:
        assert re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", each["metadata"]["name"])


def test_names_of_digits_stay_text() -> None:
    values = {
        "fullnameOverride": "ferry",
        "secretKey": {"existingSecret": "1", "key": "2"},
        "serviceAccount": {"name": "3"},
        "persistence": {"enabled": True, "storageClass": "4"},
        "priorityClassName": "5",
    }
    validate(render(CHART, values, release="1234"))


def test_global_values_of_a_parent_chart_are_accepted() -> None:
    validate(render(CHART, {"global": {"anything": {"at": "all"}}}))
