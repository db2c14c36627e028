"""A lasting condition gets no status that SDKs retry."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import MODELS, BatchClient
from tests.end_to_end.conftest import Ferry, Sdks
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.end_to_end.sdk_process import PYTHON_NEWEST, SdkError
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

PERMANENT = (400, "FAILED_PRECONDITION")

NO_CREDIT: Mapping[str, tuple[str, int, Mapping[str, Any]]] = {
    "quota": ("openai", 429, {"type": "insufficient_quota", "code": "insufficient_quota"}),
    "inactive": ("openai", 429, {"type": "billing_not_active", "code": "billing_not_active"}),
    "billing": ("anthropic", 402, {"type": "billing_error"}),
    "no plan": ("mistral", 402, {"type": "no_plan"}),
    "spend limit": (
        "anthropic",
        429,
        {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}},
    ),
}


@pytest.mark.parametrize("refusal", NO_CREDIT.values(), ids=NO_CREDIT)
async def test_an_account_without_credit(
    fakes: Mapping[str, FakeClient],
    ferry: Ferry,
    sdks: Sdks,
    refusal: tuple[str, int, Mapping[str, Any]],
) -> None:
    provider, status, error = refusal
    fake = fakes[provider]
    await fake.reset()
    body = {"type": "error", "error": {"message": "Check your plan and billing.", **error}}
    await fake.arm(
        {"method": "POST", "path": "(batches|jobs)$"}, "status", status=status, body=body
    )
    sdk = await sdks.get(PYTHON_NEWEST, fake.kind)
    contents = [{"role": "user", "parts": [{"text": "hello"}]}]

    with pytest.raises(SdkError, match="Check your plan and billing") as refused:
        await sdk.call("batches.create", model=MODELS[provider], src=[{"contents": contents}])

    assert (refused.value.code, refused.value.status) == PERMANENT


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def misconfigured(
    fakes: Mapping[str, FakeClient], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Process]:
    """A proxy that speaks TLS to upstreams that do not."""
    upstreams = {
        name: {key: value.replace("http://", "https://") for key, value in fake.as_upstream.items()}
        for name, fake in fakes.items()
    }
    async with proxy(tmp_path_factory.mktemp("misconfigured"), upstreams) as process:
        yield process


@pytest.mark.parametrize("provider", KINDS)
@pytest.mark.parametrize("path", ["v1beta/files", "v1beta/batches"])
async def test_an_address_that_does_not_speak_tls(
    misconfigured: Process, http: ClientSession, provider: str, path: str
) -> None:
    client = BatchClient(f"{misconfigured.url}/genai", KINDS[provider], http)

    answer = await client.call("GET", path)

    assert answer.error == PERMANENT
    assert "does not speak TLS" in answer.message
