from pathlib import Path

import pytest

from proxy.risks import probable_mistakes, risks_of
from proxy.setting_values import is_loopback
from proxy.settings import load
from tests.test_proxy.certificates import certificate
from tests.test_proxy.kinds import kinds

KINDS = kinds(
    gemini=set(),
    openai=set(),
    bedrock={"runtime_url", "region", "role_arn", "s3_uri", "s3_endpoint_url", "allow_headers"},
)
TOKEN = "t" * 16
AMBIENT = {
    "FERRY_PROVIDERS__OPENAI__CREDENTIALS": "ambient",
    "FERRY_PROVIDERS__OPENAI__API_KEY": "sk-own",
}
SAFE = {
    "FERRY_SECRET_KEY": "k" * 32,
    "FERRY_STATE_URL": "file:///nowhere/at/all",
    "FERRY_MAX_CONNECTIONS": "1",  # possible under every limit of open files
}
LIMITED = {
    **AMBIENT,
    "FERRY_CLIENT_TOKENS": f"acme={TOKEN}",
    "FERRY_CLIENTS__ACME__CALLS_PER_MINUTE": "60",
}


@pytest.fixture(autouse=True)
def _safe(no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)


def test_a_limit_of_open_files_that_is_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_MAX_CONNECTIONS", "417")
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 1024))
    assert list(risks_of(load(KINDS), KINDS)) == [
        "FERRY_MAX_CONNECTIONS is 417, but the limit of open files (ulimit -n) of this process "
        "allows only 416 connections."
    ]


def risks() -> list[str]:
    """The names of the settings that have risks."""
    return [risk.split()[0].rstrip(":") for risk in risks_of(load(KINDS), KINDS)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"FERRY_HOST": "localhost"}, []),
        ({"FERRY_SECRET_KEY": ""}, ["FERRY_SECRET_KEY"]),
        ({"FERRY_CORS_ORIGINS": "https://a.example"}, []),
        ({"FERRY_CORS_ORIGINS": "*"}, ["FERRY_CORS_ORIGINS"]),
        ({"FERRY_HOST": "0.0.0.0"}, ["FERRY_HOST", "FERRY_ADMIN_PORT", "FERRY_PUBLIC_URL"]),
        ({"FERRY_HOST": "0.0.0.0", "FERRY_ADMIN_PORT": "1"}, ["FERRY_HOST", "FERRY_PUBLIC_URL"]),
        ({"FERRY_HOST": "::", "FERRY_PUBLIC_URL": "https://h"}, ["FERRY_HOST", "FERRY_ADMIN_PORT"]),
        ({"FERRY_PUBLIC_URL": "http://h"}, ["FERRY_PUBLIC_URL"]),
        ({"FERRY_ANSWER_SECONDS": "60"}, []),
        ({"FERRY_ANSWER_SECONDS": "59.5"}, ["FERRY_ANSWER_SECONDS"]),
        ({"FERRY_PUBLIC_URL": "http://localhost:8080"}, []),
        (
            {
                "FERRY_HOST": "10.0.0.1",
                "FERRY_PUBLIC_URL": "https://h",
                "FERRY_TRUSTED_PROXIES": "0.0.0.0/0",
            },
            ["FERRY_HOST", "FERRY_ADMIN_PORT", "FERRY_TRUSTED_PROXIES"],
        ),
        ({"FERRY_PROVIDERS__OPENAI__BASE_URL": "http://127.0.0.1:1/v1"}, []),
        ({"FERRY_PROVIDERS__OPENAI__BASE_URL": "http://[::1]:1/v1"}, []),
        ({"FERRY_PROVIDERS__OPENAI__BASE_URL": "https://vllm/v1"}, []),
        (
            {"FERRY_PROVIDERS__OPENAI__BASE_URL": "http://vllm/v1"},
            ["FERRY_PROVIDERS__OPENAI__BASE_URL"],
        ),
        (
            {"FERRY_PROVIDERS__BEDROCK__S3_ENDPOINT_URL": "http://minio:9000"},
            ["FERRY_PROVIDERS__BEDROCK__S3_ENDPOINT_URL"],
        ),
        ({"FERRY_PROVIDERS__BEDROCK__RUNTIME_URL": "http://127.0.0.1:9000"}, []),
        (AMBIENT, ["FERRY_CLIENT_TOKENS"]),
        ({**AMBIENT, "FERRY_CLIENT_TOKENS": TOKEN}, []),
        ({**AMBIENT, "FERRY_CLIENT_TOKENS": f"{TOKEN},short"}, ["FERRY_CLIENT_TOKENS"]),
        ({**AMBIENT, "FERRY_CLIENT_TOKENS": f"acme={TOKEN}"}, []),
        (
            {**AMBIENT, "FERRY_CLIENT_TOKENS": "a-long-name-of-a-client=short"},
            ["FERRY_CLIENT_TOKENS"],
        ),
        ({**LIMITED, "FERRY_WORKERS": "1"}, []),
        ({**LIMITED, "FERRY_WORKERS": "2"}, ["FERRY_CLIENTS__<NAME>__CALLS_PER_MINUTE"]),
        ({"FERRY_CLIENT_TOKENS": TOKEN}, ["FERRY_CLIENT_TOKENS"]),
        (
            {
                "FERRY_PROVIDERS__BEDROCK__ALLOW_HEADERS": "false",
                "FERRY_PROVIDERS__BEDROCK__REGION": "us-east-1",
            },
            ["FERRY_PROVIDERS__BEDROCK__ROLE_ARN", "FERRY_PROVIDERS__BEDROCK__S3_URI"],
        ),
        (
            {
                "FERRY_PROVIDERS__BEDROCK__CREDENTIALS": "ambient",
                "FERRY_CLIENT_TOKENS": TOKEN,
                "FERRY_PROVIDERS__BEDROCK__REGION": "us-east-1",
            },
            ["FERRY_PROVIDERS__BEDROCK__ROLE_ARN", "FERRY_PROVIDERS__BEDROCK__S3_URI"],
        ),
        ({"FERRY_ALLOW_PLAINTEXT_AWS_KEYS": "true"}, []),
        (
            {
                "FERRY_HOST": "10.0.0.1",
                "FERRY_PUBLIC_URL": "https://h",
                "FERRY_ALLOW_PLAINTEXT_AWS_KEYS": "true",
            },
            ["FERRY_HOST", "FERRY_ADMIN_PORT", "FERRY_ALLOW_PLAINTEXT_AWS_KEYS"],
        ),
        ({"FERRY_STATE_URL": "s3://bucket/prefix"}, []),
        (
            {
                "FERRY_STATE_URL": "s3://bucket/prefix",
                "FERRY_STATE_S3_ENDPOINT_URL": "http://minio:9000",
            },
            ["FERRY_STATE_S3_ENDPOINT_URL"],
        ),
    ],
)
def test_a_risky_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], expected: list[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert risks() == expected


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        (
            {"FERRY_PROVIDERS__OPENAI__BASE_URL": "http://127.0.0.1:8000"},
            "FERRY_PROVIDERS__OPENAI__BASE_URL does not end in /v1, as it does for most servers of "
            "its kind: did you mean http://127.0.0.1:8000/v1?",
        ),
        ({"FERRY_PROVIDERS__OPENAI__BASE_URL": "https://gateway/openai/v1"}, None),
        ({"FERRY_PROVIDERS__OPENAI__BASE_URL": "https://gateway/v2beta/"}, None),
        (
            {"FERRY_PROVIDERS__GEMINI__BASE_URL": "https://gateway/v1beta"},
            "FERRY_PROVIDERS__GEMINI__BASE_URL ends in /v1beta, which the proxy adds itself.",
        ),
        ({"FERRY_PROVIDERS__GEMINI__BASE_URL": "https://gateway/gemini"}, None),
        (
            {"FERRY_PROVIDERS__MY_VLLM__KIND": "openai"},
            "FERRY_PROVIDERS__MY_VLLM__BASE_URL is not set: requests for my-vllm go to "
            "https://openai.example/v1.",
        ),
        ({"FERRY_PROVIDERS__EUROPE__KIND": "bedrock"}, None),
        (
            {"FERRY_ADMIN_HOST": "10.0.0.1"},
            "FERRY_ADMIN_HOST has no effect: FERRY_ADMIN_PORT is not set, so health is served on "
            "the main address.",
        ),
        ({"FERRY_ADMIN_HOST": "10.0.0.1", "FERRY_ADMIN_PORT": "9000"}, None),
        (
            {"FERRY_PORT": "tcp://10.0.0.1:80", "FERRY_SERVICE_HOST": "10.0.0.1"},
            "FERRY_PORT, FERRY_SERVICE_HOST: ignored, as Kubernetes injects such variables for "
            "Services whose names begin with ferry.",
        ),
    ],
)
def test_a_probable_mistake_is_named(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], mistake: str | None
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = load(KINDS)
    expected = [mistake] if mistake else []
    assert list(probable_mistakes(settings, KINDS)) == expected
    assert list(risks_of(settings, KINDS)) == expected


@pytest.mark.parametrize(
    ("days", "expected"), [(-1, "expired on"), (1, "expires on"), (6, "expires on"), (8, None)]
)
def test_a_certificate_that_ends_soon_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, days: int, expected: str | None
) -> None:
    monkeypatch.setenv("FERRY_HOST", "0.0.0.0")  # with TLS and an admin port this is no risk
    monkeypatch.setenv("FERRY_ADMIN_PORT", "1")
    monkeypatch.setenv("FERRY_PUBLIC_URL", "https://h")
    for name in ("FERRY_TLS_CERT", "FERRY_TLS_KEY"):
        monkeypatch.setenv(name, str(certificate(tmp_path, days=days)))
    found = list(risks_of(load(KINDS), KINDS))
    assert len(found) == (expected is not None)
    assert all(f"FERRY_TLS_CERT: the certificate {expected} 20" in risk for risk in found)


@pytest.mark.parametrize(("mode", "expected"), [(0o700, []), (0o750, ["FERRY_STATE_URL"])])
def test_a_state_directory_open_to_others_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: int, expected: list[str]
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(mode)
    monkeypatch.setenv("FERRY_STATE_URL", state.as_uri())
    assert risks() == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("h", False)],
)
def test_loopback_is_recognised_by_its_address(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
