"""The spans of one batch for each provider, as a collector receives them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai

from tests.end_to_end.batch_client import BatchClient, asking
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.otlp_receiver import OtlpReceiver, SpanSeen, otlp_receiver
from tests.processes import Process, proxy

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

PROMPT = "text that only a provider may read"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SERVER, CLIENT = 2, 3

PROVIDERS = {
    "gemini": gen_ai.GenAiProviderNameValues.GCP_GEMINI.value,
    "openai": gen_ai.GenAiProviderNameValues.OPENAI.value,
    "anthropic": gen_ai.GenAiProviderNameValues.ANTHROPIC.value,
    "mistral": gen_ai.GenAiProviderNameValues.MISTRAL_AI.value,
    "bedrock": gen_ai.GenAiProviderNameValues.AWS_BEDROCK.value,
}
CREATION = gen_ai.GenAiOperationNameValues.GENERATE_CONTENT.value


@dataclass(frozen=True)
class Traced:
    proxy: Process
    receiver: OtlpReceiver


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traced(
    fakes: Mapping[str, FakeClient], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Traced]:
    upstreams = {name: fake.as_upstream for name, fake in fakes.items()}
    async with otlp_receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        async with proxy(tmp_path_factory.mktemp("state"), upstreams, env) as process:
            yield Traced(process, receiver)


async def test_one_batch(fake: FakeClient, traced: Traced, http: ClientSession) -> None:
    receiver, kind = traced.receiver, fake.kind
    receiver.spans.clear()
    client = BatchClient(f"{traced.proxy.url}/genai", kind, http)
    file = await client.upload_lines([{"key": "k", "request": asking(PROMPT)}])
    parent = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    created = (await client.create({"fileName": file}, headers=parent)).ok
    batch = await client.ended(created["name"])
    await client.download(batch["response"]["responsesFile"])

    creation = await receiver.until(CREATION)
    assert creation.name == f"{CREATION} {client.model}"
    assert (creation.kind, creation.trace_id.hex()) == (SERVER, TRACE)
    assert creation.parent_id.hex() == PARENT
    assert creation.attributes[gen_ai.GEN_AI_PROVIDER_NAME] == PROVIDERS[kind.name]
    assert creation.attributes[gen_ai.GEN_AI_REQUEST_MODEL] == client.model
    assert creation.attributes["http.response.status_code"] == 200
    calls = [span for span in receiver.below(creation) if "server.address" in span.attributes]
    assert calls
    assert all((call.kind, call.trace_id) == (CLIENT, creation.trace_id) for call in calls)
    await check_propagation(fake, calls)
    download = await receiver.until("download_file")
    check_usage(download, translated=kind.name != "gemini")
    if kind.name != "gemini":
        state = [each for each in receiver.spans if "ferry.state.operation" in each.attributes]
        assert {each.name for each in receiver.below(download)} & {each.name for each in state}
    for secret in (PROMPT, "echo:", *kind.secrets, "upload_id"):
        assert secret.encode() not in receiver.raw


async def check_propagation(fake: FakeClient, calls: list[SpanSeen]) -> None:
    """Each call names its own span to the provider."""
    named = {
        tuple(call["headers"]["traceparent"].split("-")[1:3])
        for call in await fake.requests()
        if "traceparent" in call["headers"]
    }
    assert {(TRACE, call.span_id.hex()) for call in calls} <= named


def check_usage(download: SpanSeen, *, translated: bool) -> None:
    """The proxy does not read what it relays."""
    for name in (gen_ai.GEN_AI_USAGE_INPUT_TOKENS, gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS):
        tokens = download.attributes.get(name, 0)
        assert isinstance(tokens, int)
        assert (tokens > 0) is translated


async def test_without_the_variables_nothing_is_traced(
    openai: FakeClient, http: ClientSession, tmp_path: Path
) -> None:
    await openai.reset()
    for env in ({}, {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://nowhere"}):
        async with proxy(tmp_path, {"openai": openai.as_upstream}, env) as process:
            client = BatchClient(f"{process.url}/genai", openai.kind, http)
            await client.upload(b"{}\n")
    calls = await openai.requests()
    assert calls
    assert not any("traceparent" in call["headers"] for call in calls)
