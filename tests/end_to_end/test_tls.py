"""The newest Python SDK on a proxy that speaks TLS itself."""

import asyncio
import io
import ssl
from pathlib import Path

import pytest
from google import genai
from google.genai import types

from tests.processes import fake, proxy, upstream_settings
from tests.test_proxy.certificates import certificate

pytestmark = pytest.mark.end_to_end

CONTENT = bytes(range(256)) * 40_000  # more than one chunk


def upload_and_download(url: str, trust: ssl.SSLContext) -> tuple[str, bytes]:
    """The file's URI and content."""
    options = types.HttpOptions(
        base_url=f"{url}/genai",
        headers={"x-model-provider": "openai"},
        client_args={"verify": trust},
    )
    client = genai.Client(api_key="sk-key", http_options=options)
    config = types.UploadFileConfig(mime_type="application/jsonl")
    file = client.files.upload(file=io.BytesIO(CONTENT), config=config)
    assert file.uri is not None
    return file.uri, client.files.download(file=file)


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_upload_and_a_download_stay_on_tls(tmp_path: Path, workers: str) -> None:
    cert = certificate(tmp_path)
    env = {"FERRY_TLS_CERT": str(cert), "FERRY_TLS_KEY": str(cert), "FERRY_WORKERS": workers}
    async with fake("openai") as openai:
        upstreams = {"openai": upstream_settings(openai)}
        async with proxy(tmp_path / "state", upstreams, env) as ferry:
            assert ferry.url.startswith("https://")
            trust = ssl.create_default_context(cafile=cert)
            uri, content = await asyncio.to_thread(upload_and_download, ferry.url, trust)
    assert uri.startswith(f"{ferry.url}/genai/")
    assert content == CONTENT
