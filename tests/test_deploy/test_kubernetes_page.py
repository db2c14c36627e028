"""Who follows deploy/docs/kubernetes.md gets valid releases of both shapes."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_deploy.dockerfile import stages
from tests.test_deploy.helm import (
    CHART,
    EXAMPLE_APP,
    Manifest,
    container_of,
    helm_dependency,
    one,
    refusal,
    render,
    validate,
)
from tests.test_documentation import ROOT, fenced_blocks

PAGE = ROOT / "deploy" / "docs" / "kubernetes.md"
BLOCKS = fenced_blocks(PAGE, "yaml")

PRODUCTION, *ADDITIONS = [yaml.safe_load(block) for block in BLOCKS if not block.startswith("# ")]
OF_THE_APP = dict(
    re.split(r"\n", block.removeprefix("# "), maxsplit=1)
    for block in BLOCKS
    if block.startswith("# ")
)


def commands(program: str) -> list[list[str]]:
    """The words of each command of the page that begins with `program`."""
    text = "\n".join(fenced_blocks(PAGE, "")).replace("\\\n", " ")
    return [
        shlex.split(line.partition("#")[0])
        for line in text.splitlines()
        if line.startswith(f"{program} ")
    ]


def test_the_values_for_production_are_valid() -> None:
    manifests = render(CHART, PRODUCTION)

    validate(manifests)
    assert one(manifests, "HorizontalPodAutoscaler")


@pytest.mark.parametrize("values", ADDITIONS, ids="-".join)
def test_further_values_are_valid_with_those(values: dict[str, Any]) -> None:
    validate(render(CHART, _with_production(values)))


def _with_production(values: dict[str, Any]) -> dict[str, Any]:
    config = {**PRODUCTION["config"], **values.get("config", {})}
    return {**PRODUCTION, **values, "config": config}


def test_the_claim_takes_the_place_of_the_bucket() -> None:
    (claim,) = (each for each in ADDITIONS if "persistence" in each)
    config = {**PRODUCTION["config"], "state_url": ""}

    validate(render(CHART, {**PRODUCTION, **claim, "config": config}))


def test_the_install_to_try_it_is_valid() -> None:
    install = next(words for words in commands("helm") if words[1] == "install")
    (setting,) = (install[at + 1] for at, word in enumerate(install) if word == "--set")
    name, _, value = setting.partition("=")
    group, _, key = name.partition(".")

    assert ROOT / install[3] == CHART
    manifests = render(ROOT / install[3], {group: {key: value}}, release=install[2])
    validate(manifests)
    assert one(manifests, "Service")["metadata"]["name"] in " ".join(_of("port-forward"))
    assert f"deployment/{one(manifests, 'Deployment')['metadata']['name']}" in _page()


def _of(word: str) -> list[str]:
    (found,) = (words for words in commands("kubectl") if word in words)
    return found


def _page() -> str:
    return PAGE.read_text()


def test_every_secret_of_the_values_is_made_by_a_command() -> None:
    made = {
        (words[words.index("generic") + 1], option.split("=")[1])
        for words in commands("kubectl")
        if "secret" in words
        for option in words
        if option.startswith("--from-literal=")
    }
    own_keys = next(values for values in ADDITIONS if "providerKeys" in values)
    manifests = render(CHART, _with_production(own_keys))
    pod = one(manifests, "Deployment")["spec"]["template"]["spec"]
    used = {
        (reference["name"], reference["key"])
        for variable in container_of(pod)["env"]
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    }

    assert used == made


def test_every_build_argument_exists() -> None:
    given = {
        words[at + 1].partition("=")[0]
        for words in commands("docker")
        for at, word in enumerate(words)
        if word == "--build-arg"
    }
    declared = re.findall(r"^ARG (\w+)", (ROOT / "deploy" / "Dockerfile").read_text(), re.M)

    assert given <= set(declared)
    assert stages()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicaCount": 2}, "/config/state_url"),
        ({"replicaCount": 2}, "/persistence"),
        ({"replicaCount": 2}, "/secretKey/existingSecret"),
        ({"ingress": {"enabled": True}}, "/config/public_url"),
        (
            {"config": {"providers": {"openai": {"credentials": "ambient"}}}},
            "/clientTokens/existingSecret",
        ),
        (
            {
                "config": {"providers": {"openai": {"credentials": "ambient"}}},
                "clientTokens": {"existingSecret": "client-tokens"},
            },
            "providerKeys.openai",
        ),
        ({"providerKeys": {"openai": {"existingSecret": "k", "key": "k"}}}, "providerKeys.openai"),
        ({"extraEnv": [{"name": "FERRY_PORT", "value": "1"}]}, "/extraEnv"),
        ({"mode": "sidecar", "networkPolicy": {"enabled": True}}, "/networkPolicy/enabled"),
    ],
)
def test_the_messages_are_those_of_the_table(values: dict[str, Any], message: str) -> None:
    assert message in refusal(values)
    assert f"`{message}`" in _page()


# --- the sidecar -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The pod of an app whose chart is made of the page's pieces."""
    app = helm_dependency(tmp_path_factory.mktemp("charts"))
    chart = yaml.safe_load((app / "Chart.yaml").read_text())
    assert yaml.safe_load(OF_THE_APP["Chart.yaml"])["dependencies"] == chart["dependencies"]
    (app / "values.yaml").write_text(OF_THE_APP["values.yaml"])
    (piece,) = (text for name, text in OF_THE_APP.items() if name.startswith("templates/"))
    (app / "templates" / "deployment.yaml").write_text(_deployment(piece))
    manifests = render(app)
    validate(manifests)
    return one(manifests, "Deployment")["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def _deployment(piece: str) -> str:
    labels = "{app: app}"
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec:\n"
        f"  selector: {{matchLabels: {labels}}}\n"
        f"  template:\n    metadata: {{labels: {labels}}}\n    spec:\n"
        "      containers: [{name: app, image: app}]\n" + piece
    )


def test_the_pieces_of_the_page_make_a_sidecar(sidecar: Manifest) -> None:
    (container,) = sidecar["initContainers"]

    assert container["restartPolicy"] == "Always"
    assert container["image"].startswith("registry.example/genai-ferry:")
    assert sidecar["enableServiceLinks"] is False
    assert [volume["name"] for volume in sidecar["volumes"]] == ["ferry-state"]


def test_the_pod_monitor_of_the_page_reads_the_admin_port(sidecar: Manifest) -> None:
    monitor = yaml.safe_load(OF_THE_APP["podmonitor.yaml"])
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (container,) = sidecar["initContainers"]

    assert monitor["kind"] == "PodMonitor"
    assert endpoint["port"] in [port["name"] for port in container["ports"]]


def test_the_commands_name_the_example(sidecar: Manifest) -> None:
    charts = {
        ROOT / word for words in commands("helm") for word in words if word.startswith("deploy/")
    }

    assert charts == {CHART, EXAMPLE_APP}
    for words in commands("kubectl"):
        for word in words:
            if word.startswith("deploy/"):
                assert Path(ROOT / word).is_file()
