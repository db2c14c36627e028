"""compose.yaml: its files exist, its containers are restricted, and its demo works.

There is no container engine here: the processes of the demo run with the settings of the file,
with addresses of this machine in place of the containers' names.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.buckets import FakeS3, new_prefix
from tests.processes import Process, fake, start_proxy
from tests.test_deploy.dockerfile import stages
from tests.test_documentation import ROOT

DEPLOY = ROOT / "deploy"
DEMO = "tests.demo"
FAKES = "tests.fakes"
OURS = ("genai-ferry", "genai-ferry-demo")


@pytest.fixture
def services() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]


def test_every_file_that_is_mounted_exists(services: Any) -> None:
    sources = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    }

    assert sources
    for source in sources:
        assert (DEPLOY / source).is_dir(), source


def test_every_stage_that_is_built_exists(services: Any) -> None:
    names = {stage.name for stage in stages()}

    for service in services.values():
        if "build" in service:
            assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
            assert service["build"].get("target", "genai-ferry") in names


def test_each_image_of_ours_is_built_by_one_service_and_never_pulled(services: Any) -> None:
    """Two services that build one tag at the same time fail with `image … already exists`."""
    built = [service["image"] for service in services.values() if "build" in service]

    assert sorted(built) == sorted(OURS)
    for name, service in services.items():
        if service["image"] in OURS:
            assert service["pull_policy"] == ("build" if "build" in service else "never"), name


def test_our_containers_are_read_only_and_without_privileges(services: Any) -> None:
    for name, service in services.items():
        if service["image"] in OURS:
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_ports_are_published_on_loopback_only(services: Any) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]

    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_services_call_each_other_without_a_forward_proxy(services: Any) -> None:
    """Docker sets HTTP_PROXY in every container if its own configuration names one."""
    for name in ("ferry", "demo", "grafana"):
        given = services[name]["environment"]
        exempt = given["NO_PROXY"].split(",")

        called = {called for called in services if f"//{called}:" in str(services[name])}
        called |= {"prometheus"} if name == "grafana" else set()
        assert called
        assert called <= set(exempt)
        assert given["no_proxy"] == given["NO_PROXY"]


def test_prometheus_scrapes_the_admin_port(services: Any) -> None:
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (target,) = scraped["scrape_configs"][0]["static_configs"][0]["targets"]
    name, port = target.split(":")

    assert name in services
    assert port == stages()[-1].the("ENV").pairs["FERRY_ADMIN_PORT"]


def test_prometheus_and_grafana_load_the_alerts_and_the_dashboard(services: Any) -> None:
    prometheus, grafana = (
        dict(volume.split(":")[:2] for volume in services[name]["volumes"])
        for name in ("prometheus", "grafana")
    )
    (rules,) = _yaml(DEPLOY / "prometheus" / "prometheus.yml")["rule_files"]

    assert prometheus["./prometheus"] == "/etc/prometheus"
    assert (DEPLOY / "prometheus" / rules).is_file()
    # Grafana loads every JSON file in its folder.
    assert grafana["./grafana"] == "/var/lib/grafana/dashboards"
    assert [path.name for path in (DEPLOY / "grafana").rglob("*.json")] == ["dashboard.json"]


def test_grafana_reads_dashboards_and_prometheus_from_this_folder(services: Any) -> None:
    mounts = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    provisioning = DEPLOY / "grafana" / "provisioning"
    (dashboards,) = _yaml(provisioning / "dashboards" / "genai-ferry.yaml")["providers"]
    (source,) = _yaml(provisioning / "datasources" / "prometheus.yaml")["datasources"]

    assert mounts["./grafana"] == dashboards["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert urlsplit(source["url"]).hostname in services


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.mark.end_to_end
async def test_the_demo_works_with_the_settings_of_the_file(
    services: Any, s3_process: FakeS3, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        addresses: dict[str, str] = {}
        for name, service in services.items():
            if service.get("command", [None])[0] == FAKES:
                kind = service["command"][1]
                started = await stack.enter_async_context(fake(kind))
                addresses[f"{name}:9000"] = urlsplit(started.url).netloc
        environment = _here(services["ferry"]["environment"], addresses, s3_process)
        ferry = await start_proxy(tmp_path, {}, environment)
        stack.push_async_callback(ferry.stop)

        code, printed = await _demo(services["demo"]["command"], ferry)

    assert code == 0, printed
    assert "One program, 3 providers, and every result was checked." in printed


def _here(
    environment: Mapping[str, str], addresses: Mapping[str, str], s3: FakeS3
) -> dict[str, str]:
    """The environment of a container, with the addresses and the bucket of this machine."""
    here: dict[str, str] = {}
    for name, value in environment.items():
        moved = value
        for there, address in addresses.items():
            moved = moved.replace(f"//{there}", f"//{address}")
        here[name] = moved
    return {**here, **s3.settings(new_prefix())}


async def _demo(command: list[str], ferry: Process) -> tuple[int | None, str]:
    module, *arguments = [word.replace("http://ferry:8080", ferry.url) for word in command]
    assert module == DEMO
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        printed, _ = await process.communicate()
    return process.returncode, printed.decode()
