"""`genai-ferry check`."""

from pathlib import Path

import pytest

from tests.test_proxy.ferry_process import SECRET, ferry


def test_check_prints_the_settings_with_secrets_masked() -> None:
    done = ferry("check", FERRY_SECRET_KEY=f"{SECRET},{SECRET}2", FERRY_UPLOAD_TTL="90m")
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert lines["FERRY_SECRET_KEY"] == "**********,**********"
    assert lines["FERRY_UPLOAD_TTL"] == "90m"
    assert lines["FERRY_TRUSTED_PROXIES"] == "127.0.0.0/8,::1/128"
    assert lines["FERRY_PROVIDERS__OPENAI__KIND"] == "openai"
    assert lines["FERRY_ADMIN_PORT"] == ""
    assert lines["FERRY_PROVIDERS__OPENAI__BASE_URL"] == "https://api.openai.com/v1"
    assert SECRET not in done.stdout


def test_the_output_of_check_can_be_set() -> None:
    first = ferry("check", FERRY_SECRET_KEY=SECRET, FERRY_STATE_URL="file:///nowhere")
    printed = dict(line.split("=", 1) for line in first.stdout.splitlines())
    again = ferry("check", **{**printed, "FERRY_SECRET_KEY": SECRET})
    assert (again.stdout, again.stderr) == (first.stdout, "")


def test_check_prints_the_addresses_in_use() -> None:
    address = {"FERRY_PROVIDERS__GEMINI__BASE_URL": "http://127.0.0.1:9"}
    further = {"FERRY_PROVIDERS__OTHER__KIND": "anthropic"}
    done = ferry("check", **address, **further)
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert {name: value for name, value in lines.items() if name.endswith("__BASE_URL")} == {
        **address,
        "FERRY_PROVIDERS__OPENAI__BASE_URL": "https://api.openai.com/v1",
        "FERRY_PROVIDERS__ANTHROPIC__BASE_URL": "https://api.anthropic.com",
        "FERRY_PROVIDERS__MISTRAL__BASE_URL": "https://api.mistral.ai/v1",
        "FERRY_PROVIDERS__OTHER__BASE_URL": "https://api.anthropic.com",
        # AWS's own address depends on the region, which a caller may choose.
        "FERRY_PROVIDERS__BEDROCK__BASE_URL": "",
    }


def test_check_prints_no_key_and_no_token() -> None:
    done = ferry(
        "check",
        FERRY_CLIENT_TOKENS=f"{SECRET}3,{SECRET}4",
        FERRY_PROVIDERS__OPENAI__CREDENTIALS="ambient",
        FERRY_PROVIDERS__OPENAI__API_KEY=SECRET,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert lines["FERRY_CLIENT_TOKENS"] == "**********,**********"
    assert lines["FERRY_PROVIDERS__OPENAI__API_KEY"] == "**********"
    assert SECRET not in done.stdout


def test_check_shows_the_limits_of_named_clients() -> None:
    done = ferry(
        "check",
        FERRY_CLIENT_TOKENS=f"Acme={SECRET}3,acme={SECRET}4",
        FERRY_CLIENTS__ACME__PROVIDERS="openai",
        FERRY_PROVIDERS__OPENAI__CREDENTIALS="ambient",
        FERRY_PROVIDERS__OPENAI__API_KEY=SECRET,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert lines["FERRY_CLIENT_TOKENS"] == "acme=**********,acme=**********"
    assert lines["FERRY_CLIENTS__ACME__PROVIDERS"] == "openai"
    assert lines["FERRY_CLIENTS__ACME__CALLS_PER_MINUTE"] == ""
    assert "FERRY_CLIENTS" not in lines
    assert SECRET not in done.stdout


def test_check_names_risks() -> None:
    done = ferry("check", FERRY_HOST="0.0.0.0")
    assert done.returncode == 0
    assert done.stdout.count("risk: ") == 4


def test_variables_that_kubernetes_injects_are_one_warning() -> None:
    injected = {"FERRY_PORT": "tcp://10.0.0.1:80", "FERRY_SERVICE_HOST": "10.0.0.1"}
    done = ferry("check", FERRY_SECRET_KEY=SECRET, **injected)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("risk: ") == 1
    assert done.stdout.startswith("risk: FERRY_PORT, FERRY_SERVICE_HOST: ignored")
    assert "FERRY_PORT=8080\n" in done.stdout


def test_a_file_can_have_the_settings(tmp_path: Path) -> None:
    config = tmp_path / "ferry.toml"
    config.write_text(f"port = 9\nsecret_key = '{SECRET}'")
    done = ferry("check", "--config", str(config))
    assert "FERRY_PORT=9\n" in done.stdout
    assert "FERRY_SECRET_KEY=**********\n" in done.stdout


def test_check_names_a_file_in_place_of_the_state_directory(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_bytes(b"mine")
    done = ferry("check", FERRY_STATE_URL=file.as_uri())
    assert (done.returncode, done.stderr) == (
        1,
        f"genai-ferry: FERRY_STATE_URL: the directory {file} cannot be created or written: "
        f"{file} is not a directory\n",
    )
    assert file.read_bytes() == b"mine"


@pytest.mark.skipif(
    not Path("/sys/kernel").is_dir(), reason="needs Linux's /sys, where even root can make nothing"
)
def test_check_reports_missing_permissions() -> None:
    done = ferry("check", FERRY_STATE_URL="file:///sys/genai-ferry")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    what = "the directory /sys/genai-ferry cannot be created or written"
    # The last one is for a container whose /sys is mounted read-only.
    reasons = ("Operation not permitted", "Permission denied", "Read-only file system")
    assert line in [f"genai-ferry: FERRY_STATE_URL: {what}: {reason}" for reason in reasons]


def test_a_mistake_in_a_forward_proxy_is_one_sentence_with_a_bucket_too() -> None:
    done = ferry("check", FERRY_STATE_URL="s3://bucket/prefix", HTTPS_PROXY="socks5://secret@h")
    assert (done.returncode, done.stderr) == (
        1,
        "genai-ferry: HTTPS_PROXY: must be the address of an HTTP proxy, such as "
        "http://proxy.example:3128\n",
    )


def test_check_leaves_no_directory(tmp_path: Path) -> None:
    done = ferry("check", FERRY_STATE_URL=(tmp_path / "a" / "state").as_uri())
    assert (done.returncode, list(tmp_path.iterdir())) == (0, [])
