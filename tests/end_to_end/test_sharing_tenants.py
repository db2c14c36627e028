"""The SDK with a client token as its `api_key`: two tenants on the proxy's own credential."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from google import genai
from google.genai import errors, types

from tests.end_to_end.batch_client import EMBEDDING_MODELS
from tests.fakes.sample import vector
from tests.test_proxy.shared_proxy import ANN, BOB, MODELS, OWN, SharedProxy, lines, shared_proxy


def client_of(shared: SharedProxy, token: str) -> genai.Client:
    options = types.HttpOptions(
        base_url=f"{shared.url}/genai", headers={"x-model-provider": shared.provider}
    )
    return genai.Client(api_key=token, http_options=options)


def code_of(call: Callable[..., object], **named: str) -> int:
    """The status of the SDK's exception."""
    with pytest.raises(errors.APIError) as caught:
        call(**named)
    return int(caught.value.code)


def check_isolation(shared: SharedProxy, path: Path) -> None:
    """Ann uses everything; Bob sees nothing of it, and uses everything too."""
    path.write_bytes(lines())
    with client_of(shared, ANN) as ann, client_of(shared, BOB) as bob:
        config = types.UploadFileConfig(display_name="mine.jsonl", mime_type="application/jsonl")
        file = ann.files.upload(file=path, config=config)
        assert file.name
        job = ann.batches.create(model=MODELS[shared.provider], src=file.name)
        assert job.name
        assert [found.name for found in ann.files.list()] == [file.name]
        assert [found.name for found in ann.batches.list()] == [job.name]
        assert ann.batches.get(name=job.name).name == job.name
        assert not list(bob.files.list())
        assert not list(bob.batches.list())
        assert code_of(bob.files.get, name=file.name) == 404
        assert code_of(bob.files.delete, name=file.name) == 404
        assert code_of(bob.batches.get, name=job.name) == 404
        assert code_of(bob.batches.cancel, name=job.name) == 404
        assert code_of(bob.batches.delete, name=job.name) == 404
        other = bob.files.upload(file=path, config=config)
        assert [found.name for found in bob.files.list()] == [other.name]
    with client_of(shared, "no-token") as stranger:
        assert code_of(lambda: list(stranger.files.list())) == 401


@pytest.mark.parametrize("provider", OWN)
async def test_each_tenant_works_as_if_it_were_alone(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy(provider, tmp_path / "state", monkeypatch) as shared:
        await asyncio.to_thread(check_isolation, shared, tmp_path / "requests.jsonl")


@pytest.mark.parametrize("provider", ["openai", "mistral", "gemini"])
async def test_a_tenant_embeds_with_the_proxys_key(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy(provider, tmp_path / "state", monkeypatch) as shared:
        with client_of(shared, ANN) as ann, client_of(shared, "no-token") as stranger:
            embed = partial(
                ann.models.embed_content, model=EMBEDDING_MODELS[provider], contents=["a", "b"]
            )
            answer = await asyncio.to_thread(embed)
            code = await asyncio.to_thread(
                code_of, stranger.models.embed_content, model="m", contents="a"
            )
    assert [each.values for each in answer.embeddings or ()] == [vector("a", 8), vector("b", 8)]
    assert code == 401


async def test_tenants_cannot_upload_into_a_shared_file_search_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        with client_of(shared, ANN) as ann:
            stores = ann.file_search_stores
            upload = partial(stores.upload_to_file_search_store, file=path)
            refused = [
                await asyncio.to_thread(code_of, stores.create),
                await asyncio.to_thread(
                    code_of, upload, file_search_store_name="fileSearchStores/a"
                ),
            ]
        assert refused == [501, 501]
        assert "/upload" not in await shared.upstream_requests()
