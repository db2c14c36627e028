"""A text file is the input of a batch, or a document, by its first line: through Google's SDK."""

import asyncio
import io
import json

import pytest
from google.genai import errors, types

from tests.end_to_end.batch_client import MODELS
from tests.end_to_end.conftest import Ferry
from tests.end_to_end.fake_client import FakeClient
from tests.end_to_end.google_client import TRANSLATED, sdk

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session"), TRANSLATED]

REQUEST = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
LINE = json.dumps({"key": "a", "request": REQUEST}).encode()


def batch_of(ferry: Ferry, fake: FakeClient, content: bytes, name: str) -> types.BatchJob:
    """The batch of a file with the type `text/plain`."""
    config = types.UploadFileConfig(mime_type="text/plain", display_name=name)
    with sdk(ferry, fake) as client:
        file = client.files.upload(file=io.BytesIO(content), config=config)
        assert (file.display_name, file.mime_type) == (name, "text/plain")
        assert file.name is not None
        return client.batches.create(model=MODELS[fake.kind.name], src=file.name)


async def test_lines_of_requests_are_a_batch_input(ferry: Ferry, fake: FakeClient) -> None:
    job = await asyncio.to_thread(batch_of, ferry, fake, LINE + b"\n", "requests.txt")
    assert job.name is not None


async def test_notes_are_refused_as_input(ferry: Ferry, fake: FakeClient) -> None:
    with pytest.raises(errors.ClientError) as refused:
        await asyncio.to_thread(batch_of, ferry, fake, b"notes\n" + LINE, "notes.txt")
    assert refused.value.code == 400
    expected = "line 1" if fake.kind.name == "bedrock" else "a name that ends in .jsonl"
    assert expected in str(refused.value.message)
