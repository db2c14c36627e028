"""Calls to every provider go through the forward proxy that the environment names, over TLS."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.processes import proxy
from tests.test_proxy.certificates import certificate
from tests.test_proxy.network import ForwardProxy, forward_proxy, tls_endpoint
from tests.test_proxy.raw_upstream import answer_once, raw_upstream

pytestmark = pytest.mark.end_to_end

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
AWS_KEYS = "AKIAEXAMPLE000000000:secret"
UPSTREAMS = {
    "gemini": {"BASE_URL": "https://gemini.up.example"},
    "openai": {"BASE_URL": "https://openai.up.example/v1"},
    "anthropic": {"BASE_URL": "https://anthropic.up.example"},
    "bedrock": {
        "BASE_URL": "https://bedrock.up.example",
        "S3_ENDPOINT_URL": "https://s3.up.example",
        "S3_URI": "s3://bucket/prefix",
        "REGION": "us-east-1",
        "ROLE_ARN": "arn:aws:iam::123456789012:role/ferry",
    },
}
CALLS = [
    ("gemini", "files", "AIza-key", "gemini.up.example:443"),
    ("openai", "files", "sk-key", "openai.up.example:443"),
    ("anthropic", "batches", "sk-ant-key", "anthropic.up.example:443"),
    ("bedrock", "batches", AWS_KEYS, "bedrock.up.example:443"),
    ("bedrock", "files", AWS_KEYS, "s3.up.example:443"),
]


async def test_every_provider_is_called_through_the_forward_proxy(tmp_path: Path) -> None:
    cert = certificate(tmp_path, host="*.up.example")
    async with raw_upstream(answer_once(NOT_FOUND)) as inner, tls_endpoint(inner, cert) as there:
        between = ForwardProxy({target: there for *_, target in CALLS})
        async with forward_proxy(between) as url:
            env = {
                "HTTPS_PROXY": str(url),
                "NO_PROXY": "127.0.0.0/8",
                "FERRY_UPSTREAM_CA_BUNDLE": str(cert),
            }
            async with (
                proxy(tmp_path / "state", UPSTREAMS, env) as ferry,
                ClientSession() as client,
            ):
                for provider, path, key, target in CALLS:
                    before = len(between.targets)
                    headers = {"x-model-provider": provider, "x-goog-api-key": key}
                    address = f"{ferry.url}/genai/v1beta/{path}"
                    async with client.get(address, headers=headers) as answer:
                        assert answer.status == 404, await answer.text()
                    assert set(between.targets[before:]) == {target}
