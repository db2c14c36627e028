"""The sidecar, in the chart of an app that depends on genai-ferry's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.test_deploy.helm import (
    Manifest,
    container_of,
    helm,
    helm_dependency,
    one,
    refusal,
    render,
    validate,
    variables,
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return helm_dependency(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def manifests(app: Path) -> Sequence[Manifest]:
    return render(app)


@pytest.fixture
def pod(manifests: Sequence[Manifest]) -> Any:
    return one(manifests, "Deployment")["spec"]["template"]["spec"]


def test_the_app_is_all_that_is_rendered(manifests: Sequence[Manifest]) -> None:
    validate(manifests)
    assert [each["kind"] for each in manifests] == ["Deployment"]


def test_helm_lint_finds_nothing_in_the_app(app: Path) -> None:
    done = helm("lint", "--strict", str(app))

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_a_native_sidecar(pod: Any) -> None:
    (sidecar,) = pod["initContainers"]

    assert sidecar["name"] == "genai-ferry"
    assert sidecar["restartPolicy"] == "Always"
    assert [each["name"] for each in pod["containers"]] == ["app"]


def test_it_serves_on_loopback_and_is_probed_at_the_address_of_the_pod(pod: Any) -> None:
    sidecar = container_of(pod)
    given = dict(variables(sidecar))
    (admin_host,) = (each for each in sidecar["env"] if each["name"] == "FERRY_ADMIN_HOST")

    assert given["FERRY_HOST"] == "127.0.0.1"
    assert admin_host["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert sidecar["ports"] == [{"name": "ferry-admin", "containerPort": 8081}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert sidecar[probe]["httpGet"]["port"] == "ferry-admin"


def test_the_app_calls_the_sidecar(pod: Any) -> None:
    (app,) = pod["containers"]

    assert {each["name"]: each["value"] for each in app["env"]} == {
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:8080/genai"
    }


def test_the_pod_has_time_for_the_app_and_then_for_the_sidecar(pod: Any) -> None:
    given = dict(variables(container_of(pod)))
    of_the_app = 30

    assert pod["terminationGracePeriodSeconds"] > of_the_app + int(given["FERRY_DRAIN_SECONDS"])


def test_it_is_as_restricted_as_the_deployment(pod: Any) -> None:
    """The security context of the pod is the app's, so the container's must say everything."""
    deployment = one(render(), "Deployment")["spec"]["template"]["spec"]

    assert container_of(pod)["securityContext"] == container_of(deployment)["securityContext"]


def test_its_values_are_checked_in_the_app_too(app: Path) -> None:
    assert "'portt' not allowed" in refusal({"genai-ferry": {"config": {"portt": 1}}}, app)
    assert "/config/host" in refusal({"genai-ferry": {"config": {"host": "0.0.0.0"}}}, app)
    assert "/persistence/existingClaim" in refusal(
        {"genai-ferry": {"persistence": {"enabled": True}}}, app
    )


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"networkPolicy": {"enabled": True}}, "/networkPolicy/enabled"),
        ({"autoscaling": {"enabled": True}}, "/autoscaling/enabled"),
        ({"serviceMonitor": {"enabled": True}}, "/serviceMonitor/enabled"),
        (
            {"ingress": {"enabled": True}, "config": {"public_url": "https://host.example"}},
            "/ingress/enabled",
        ),
        (
            {
                "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]},
                "config": {"public_url": "https://host.example"},
            },
            "/httpRoute/enabled",
        ),
        ({"imagePullSecrets": [{"name": "registry"}]}, "/imagePullSecrets"),
        ({"serviceAccount": {"annotations": {"role": "r"}}}, "/serviceAccount/annotations"),
        ({"podAnnotations": {"a": "b"}}, "/podAnnotations"),
        ({"podLabels": {"a": "b"}}, "/podLabels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_only_the_app_can_set_is_refused(
    app: Path, values: dict[str, Any], where: str
) -> None:
    """It would have no effect, and nothing would say so."""
    assert where in refusal({"genai-ferry": values}, app)


def test_the_alerts_and_the_dashboard_can_come_with_the_app(app: Path) -> None:
    values = {"prometheusRule": {"enabled": True}, "grafanaDashboard": {"enabled": True}}
    manifests = render(app, {"genai-ferry": values})

    validate(manifests)
    assert {each["kind"] for each in manifests} == {"Deployment", "PrometheusRule", "ConfigMap"}


def test_a_forgotten_mode_is_refused(app: Path) -> None:
    assert "mode: sidecar" in refusal({"genai-ferry": {"mode": "deployment"}}, app)


def test_secrets_volumes_and_a_bucket_reach_the_sidecar(app: Path) -> None:
    values = {
        "config": {"state_url": "s3://my-bucket/ferry"},
        "secretKey": {"existingSecret": "ferry"},
        "persistence": {"enabled": True, "existingClaim": "scratch"},
        "extraVolumes": [{"name": "certificates", "configMap": {"name": "certificates"}}],
        "extraVolumeMounts": [{"name": "certificates", "mountPath": "/etc/ferry"}],
    }
    manifests = render(app, {"genai-ferry": values})
    pod = one(manifests, "Deployment")["spec"]["template"]["spec"]
    sidecar = container_of(pod)

    validate(manifests)
    assert dict(variables(sidecar))["FERRY_STATE_URL"] == "s3://my-bucket/ferry"
    assert "FERRY_SECRET_KEY" in [each["name"] for each in sidecar["env"]]
    assert [each["name"] for each in pod["volumes"]] == ["ferry-state", "certificates"]
    assert pod["volumes"][0]["persistentVolumeClaim"] == {"claimName": "scratch"}
