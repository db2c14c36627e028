"""Requests as Google's own examples for curl write them (gemini.md section 1)."""

from io import BytesIO

import pytest
from aiohttp import ClientSession

from tests.end_to_end.batch_client import EMBEDDING_MODELS, MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

LIGHTS = """
  { "system_instruction": { "parts": { "text": "You are a lighting bot." } },
    "tools": [{ "function_declarations": [
      { "name": "enable_lights", "description": "Turn on the lights." },
      { "name": "set_light_color",
        "parameters": {
          "type": "object",
          "properties": { "rgb_hex": { "type": "string" } },
          "required": ["rgb_hex"] } } ] }],
    "tool_config": { "function_calling_config": {"mode": "%s"} },
    "contents": { "role": "user", "parts": { "text": "call the tool" } } }"""


async def post(
    ferry: Ferry, fake: FakeClient, http: ClientSession, call: str, body: str
) -> dict[str, object]:
    url = f"{ferry.base_url}/v1beta/models/{call}?key={fake.kind.key}"
    headers = {"Content-Type": "application/json", **fake.kind.headers}
    async with http.post(url, data=BytesIO(body.encode()), headers=headers) as reply:
        answer: dict[str, object] = await reply.json()
        assert reply.status == 200, answer
    return answer


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        (
            """{ "system_instruction": { "parts": { "text": "You are a cat." } },
            "contents": { "parts": { "text": "Hello there" } } }""",
            "echo: Hello there",
        ),
        (
            """{ "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"text": "Great to meet you."},]},
            {"role": "user", "parts": [{"text": "How many\npaws?"}],}, ] }""",
            "echo: How many\\npaws?",
        ),
        (LIGHTS % "none", "echo: call the tool"),
        (LIGHTS % "auto", '"enable_lights"'),
    ],
)
async def test_a_prompt(
    ferry: Ferry, fake: FakeClient, http: ClientSession, body: str, answered: str
) -> None:
    call = f"{MODELS[fake.kind.name]}:generateContent"
    answer = await post(ferry, fake, http, call, body)
    assert answered in str(answer).replace("'", '"')


@pytest.mark.parametrize("fake", list(EMBEDDING_MODELS), indirect=True)
async def test_an_embedding(ferry: Ferry, fake: FakeClient, http: ClientSession) -> None:
    model = EMBEDDING_MODELS[fake.kind.name]
    body = f'{{"model": "models/{model}", "content": {{ "parts":[{{"text": "Hello world"}}]}}, }}'
    assert "values" in str(await post(ferry, fake, http, f"{model}:embedContent", body))


async def test_an_upload(ferry: Ferry, fake: FakeClient, http: ClientSession) -> None:
    start = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": "5",
        "X-Goog-Upload-Header-Content-Type": "text/plain",
        "Content-Type": "application/json",
        **fake.kind.headers,
    }
    url = f"{ferry.base_url}/upload/v1beta/files?key={fake.kind.key}"
    described = b"{'file': {'display_name': 'TEXT'}}"
    async with http.post(url, data=BytesIO(described), headers=start) as started:
        assert started.status == 200, await started.text()
        upload_url = started.headers["x-goog-upload-url"]
    send = {
        "X-Goog-Upload-Offset": "0",
        "X-Goog-Upload-Command": "upload, finalize",
        "Content-Type": "application/x-www-form-urlencoded",  # curl's own
    }
    async with http.post(upload_url, data=BytesIO(b"hello"), headers=send) as ended:
        file = (await ended.json())["file"]
    assert (file["displayName"], file["mimeType"]) == ("TEXT", "text/plain")
    await fake.check_only_file(file, b"hello")
