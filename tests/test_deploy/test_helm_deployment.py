"""The chart's Deployment: health, draining, isolation, secrets, and what belongs to it."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.test_deploy.helm import CHART, Manifest, container_of, one, render, validate, variables

REPLICAS = CHART / "ci" / "replicas-values.yaml"
OWN_CLAIM = CHART / "ci" / "own-claim-values.yaml"
SHARED_CLAIM = CHART / "ci" / "shared-claim-values.yaml"


@pytest.fixture(scope="module")
def replicas() -> Sequence[Manifest]:
    return render(CHART, {}, REPLICAS)


def pod_of(manifests: Sequence[Manifest]) -> Any:
    return one(manifests, "Deployment")["spec"]["template"]["spec"]


def test_probes_ask_the_admin_port() -> None:
    container = container_of(pod_of(render()))
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    assert ports == {"http": 8080, "ferry-admin": 8081}
    for name, path in {
        "startupProbe": "/readyz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }.items():
        assert container[name]["httpGet"] == {"path": path, "port": "ferry-admin"}


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, 80),
        ({"preStopSeconds": 5}, 85),
        ({"config": {"drain_seconds": 600, "drain_grace_seconds": 20}}, 630),
    ],
)
def test_a_pod_has_time_for_pre_stop_grace_and_drain(values: dict[str, Any], seconds: int) -> None:
    pod = pod_of(render(CHART, values))
    given = dict(variables(container_of(pod)))
    pre_stop = container_of(pod).get("lifecycle", {"preStop": {"sleep": {"seconds": 0}}})

    assert pod["terminationGracePeriodSeconds"] == seconds
    assert seconds > (
        pre_stop["preStop"]["sleep"]["seconds"]
        + int(given["FERRY_DRAIN_GRACE_SECONDS"])
        + int(given["FERRY_DRAIN_SECONDS"])
    )


def test_the_chart_sets_grace_10_and_drain_60() -> None:
    given = dict(variables(container_of(pod_of(render()))))

    assert given["FERRY_DRAIN_GRACE_SECONDS"] == "10"
    assert given["FERRY_DRAIN_SECONDS"] == "60"


def test_a_pod_meets_the_restricted_standard() -> None:
    container = container_of(pod_of(render()))

    assert container["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_a_pod_gets_no_service_variables_and_no_token() -> None:
    pod = pod_of(render())

    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False


def test_the_only_writable_directory_holds_state_and_temporary_files() -> None:
    pod = pod_of(render())
    container = container_of(pod)
    given = dict(variables(container))
    (mount,) = container["volumeMounts"]

    assert given["FERRY_STATE_URL"].startswith(f"file://{mount['mountPath']}/")
    assert given["TMPDIR"] == mount["mountPath"]
    assert pod["volumes"] == [{"name": mount["name"], "emptyDir": {"sizeLimit": "10Gi"}}]


def test_resources_are_requested_and_memory_is_limited() -> None:
    resources = container_of(pod_of(render()))["resources"]

    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"].keys() == {"memory"}


def test_replicas_are_spread_over_zones_and_nodes() -> None:
    spread = pod_of(render())["topologySpreadConstraints"]

    assert [each["topologyKey"] for each in spread] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    assert all(
        each["labelSelector"]["matchLabels"]["app.kubernetes.io/instance"] == "release"
        for each in spread
    )


def test_secrets_come_from_existing_secrets(replicas: Sequence[Manifest]) -> None:
    container = container_of(pod_of(replicas))
    secrets = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in container["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }

    assert secrets == {
        "FERRY_SECRET_KEY": {"name": "ferry", "key": "secret-key"},
        "FERRY_CLIENT_TOKENS": {"name": "ferry", "key": "client-tokens"},
        "FERRY_PROVIDERS__OPENAI__API_KEY": {"name": "provider-keys", "key": "openai"},
    }
    assert "Secret" not in [each["kind"] for each in replicas]


def test_the_service_account_has_the_annotation_for_web_identity(
    replicas: Sequence[Manifest],
) -> None:
    account = one(replicas, "ServiceAccount")

    assert "eks.amazonaws.com/role-arn" in account["metadata"]["annotations"]
    assert pod_of(replicas)["serviceAccountName"] == account["metadata"]["name"]


def test_the_autoscaler_owns_the_number_of_replicas(replicas: Sequence[Manifest]) -> None:
    autoscaler = one(replicas, "HorizontalPodAutoscaler")["spec"]

    assert "replicas" not in one(replicas, "Deployment")["spec"]
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 10)
    assert [each["resource"]["name"] for each in autoscaler["metrics"]] == ["cpu", "memory"]
    assert autoscaler["behavior"]["scaleDown"]["policies"] == [
        {"type": "Pods", "value": 1, "periodSeconds": 60}
    ]


def test_an_ingress_takes_its_host_and_path_from_the_public_url(
    replicas: Sequence[Manifest],
) -> None:
    ingress = one(replicas, "Ingress")
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]

    assert rule["host"] == "host.example"
    assert (path["path"], path["pathType"]) == ("/team/genai", "Prefix")
    assert path["backend"]["service"]["name"] == one_service(replicas)["metadata"]["name"]


def test_an_ingress_has_the_annotations_of_the_page_about_reverse_proxies(
    replicas: Sequence[Manifest],
) -> None:
    annotations = one(replicas, "Ingress")["metadata"]["annotations"]
    prefix = "nginx.ingress.kubernetes.io/"

    assert annotations[f"{prefix}proxy-body-size"] == "0"
    assert annotations[f"{prefix}proxy-request-buffering"] == "off"
    assert annotations[f"{prefix}proxy-buffering"] == "off"


def test_hosts_of_an_ingress_replace_the_public_urls() -> None:
    hosts = [{"host": "inner.example", "paths": [{"path": "/genai", "pathType": "Exact"}]}]
    manifests = render(CHART, {"ingress": {"hosts": hosts}}, REPLICAS)

    assert [rule["host"] for rule in one(manifests, "Ingress")["spec"]["rules"]] == [
        "inner.example"
    ]


def test_two_releases_in_one_namespace_do_not_meet() -> None:
    """Neither do their objects have a name in common, nor do their selectors find the other's."""
    first, second = (render(CHART, {}, REPLICAS, release=name) for name in ("blue", "green"))
    names = [
        {(each["kind"], each["metadata"]["name"]) for each in all_} for all_ in (first, second)
    ]
    selectors = [
        each["spec"]["selector"] for each in first if each["kind"] in ("Service", "ServiceMonitor")
    ]
    selectors += [
        each["spec"]["podSelector"] for each in first if each["kind"] == "NetworkPolicy"
    ] + [one(first, kind)["spec"]["selector"] for kind in ("Deployment", "PodDisruptionBudget")]

    assert not names[0] & names[1]
    assert len(selectors) == 6
    for selector in selectors:
        labels = selector.get("matchLabels", selector)
        assert labels["app.kubernetes.io/instance"] == "blue"


def test_a_cluster_can_choose_the_user_itself() -> None:
    """OpenShift refuses pods that name one."""
    of_container = {"runAsUser": None, "runAsGroup": None}
    values = {"securityContext": of_container, "podSecurityContext": {"fsGroup": None}}
    manifests = render(CHART, values)
    pod = pod_of(manifests)

    validate(manifests)
    assert "fsGroup" not in pod["securityContext"]
    assert not of_container.keys() & container_of(pod)["securityContext"].keys()
    assert container_of(pod)["securityContext"]["runAsNonRoot"] is True


def test_the_host_of_a_route_is_in_lower_case() -> None:
    """Kubernetes accepts no other host, and a URL may have both cases."""
    manifests = render(CHART, {"config": {"public_url": "https://Host.Example"}}, REPLICAS)

    assert one(manifests, "Ingress")["spec"]["rules"][0]["host"] == "host.example"
    assert one(manifests, "HTTPRoute")["spec"]["hostnames"] == ["host.example"]


@pytest.mark.parametrize(
    ("config", "protocol"),
    [({}, "http"), ({"tls_cert": "/tls/tls.crt", "tls_key": "/tls/tls.key"}, "https")],
)
def test_the_service_says_whether_its_port_has_tls(config: dict[str, str], protocol: str) -> None:
    (port,) = one(render(CHART, {"config": config}), "Service")["spec"]["ports"]

    assert port["appProtocol"] == protocol


def test_a_route_has_no_deadline_for_a_whole_stream(replicas: Sequence[Manifest]) -> None:
    route = one(replicas, "HTTPRoute")["spec"]
    (rule,) = route["rules"]

    assert route["hostnames"] == ["host.example"]
    assert rule["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/team/genai"}}]
    assert rule["backendRefs"] == [
        {"name": one_service(replicas)["metadata"]["name"], "port": 8080}
    ]


def test_metrics_have_a_service_of_their_own(replicas: Sequence[Manifest]) -> None:
    published, admin = [each for each in replicas if each["kind"] == "Service"]
    if "component" in str(published["metadata"]["labels"]):
        published, admin = admin, published
    monitor = one(replicas, "ServiceMonitor")["spec"]

    assert [port["name"] for port in published["spec"]["ports"]] == ["http"]
    assert [port["name"] for port in admin["spec"]["ports"]] == ["ferry-admin"]
    assert admin["spec"]["clusterIP"] == "None"
    assert [(each["port"], each["path"]) for each in monitor["endpoints"]] == [
        ("ferry-admin", "/metrics")
    ]
    labels = monitor["selector"]["matchLabels"].items()
    assert labels <= admin["metadata"]["labels"].items()
    assert not labels <= published["metadata"]["labels"].items()


def test_every_selector_matches_the_pods(replicas: Sequence[Manifest]) -> None:
    labels = one(replicas, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    selectors = [
        one(replicas, "Deployment")["spec"]["selector"]["matchLabels"],
        one(replicas, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(replicas, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(each["spec"]["selector"] for each in replicas if each["kind"] == "Service"),
    ]

    for selector in selectors:
        assert selector.items() <= labels


def test_the_network_policy_lets_only_the_named_in(replicas: Sequence[Manifest]) -> None:
    policy = one(replicas, "NetworkPolicy")["spec"]
    ingress = {rule["ports"][0]["port"]: rule.get("from") for rule in policy["ingress"]}

    assert ingress.keys() == {"http", "ferry-admin"}
    assert all(ingress.values())
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [
        53,
        53,
        443,
        8000,
    ]


def test_the_network_policy_closes_the_admin_port_by_default() -> None:
    policy = one(render(CHART, {"networkPolicy": {"enabled": True}}), "NetworkPolicy")["spec"]

    assert [rule["ports"] for rule in policy["ingress"]] == [[{"port": "http"}]]


def test_a_claim_of_one_pod_ends_the_old_pod_first() -> None:
    assert one(render(CHART, {}, OWN_CLAIM), "Deployment")["spec"]["strategy"] == {
        "type": "Recreate"
    }


def test_replicas_are_replaced_one_by_one() -> None:
    for file in (REPLICAS, SHARED_CLAIM):
        assert one(render(CHART, {}, file), "Deployment")["spec"]["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }


def test_an_uninstall_keeps_the_claim() -> None:
    claim = one(render(CHART, {}, OWN_CLAIM), "PersistentVolumeClaim")

    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def one_service(manifests: Sequence[Manifest]) -> Manifest:
    """The Service that clients use."""
    (found,) = (
        each
        for each in manifests
        if each["kind"] == "Service" and each["spec"]["ports"][0]["name"] == "http"
    )
    return found
