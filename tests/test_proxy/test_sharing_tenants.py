"""Two tenants share the proxy's own credential: neither sees what the other created."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from providers.resource_names import decode_file_id
from tests.test_proxy.shared_proxy import ANN, BOB, OWN, SharedProxy, lines, requests, shared_proxy

# Its requests cannot name files at all.
NAMES_NO_FILES = ("mistral",)
SCAN = b"%PDF-1.7 of nobody in particular"


@pytest.fixture(params=list(OWN))
async def shared(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SharedProxy]:
    async with shared_proxy(request.param, tmp_path / "state", monkeypatch) as proxy:
        yield proxy


def absent(name: str) -> tuple[int, str, str]:
    return 404, "NOT_FOUND", f"{name} does not exist"


async def test_each_tenant_has_its_own_files(shared: SharedProxy) -> None:
    ann, bob = await shared.upload(ANN), await shared.upload(BOB)
    assert await shared.listed(ANN, "files") == [ann["name"]]
    assert await shared.listed(BOB, "files") == [bob["name"]]
    assert (await shared.ask(ANN, "GET", f"v1beta/{ann['name']}")).ok["name"] == ann["name"]


async def test_each_tenant_has_its_own_batches(shared: SharedProxy) -> None:
    ann = (await shared.create(ANN, requests())).ok["name"]
    bob = (await shared.create(BOB, (await shared.upload(BOB))["name"])).ok["name"]
    assert await shared.listed(ANN, "batches") == [ann]
    assert await shared.listed(BOB, "batches") == [bob]
    assert (await shared.ask(BOB, "GET", f"v1beta/{bob}")).ok["name"] == bob


async def test_models_are_the_same_for_every_tenant(shared: SharedProxy) -> None:
    ann, bob = [(await shared.ask(who, "GET", "v1beta/models")).ok["models"] for who in (ANN, BOB)]
    assert ann == bob != []
    name = ann[0]["name"]
    assert (await shared.ask(BOB, "GET", f"v1beta/{name}")).ok["name"] == name


async def test_every_call_on_another_tenants_resource_is_not_found(shared: SharedProxy) -> None:
    file, batch = (await shared.upload(ANN))["name"], (await shared.create(ANN, requests())).ok
    await shared.steer(batch["name"])
    for method, path in (
        ("GET", file),
        ("DELETE", file),
        ("GET", f"{file}:download"),
        ("GET", batch["name"]),
        ("DELETE", batch["name"]),
        ("POST", f"{batch['name']}:cancel"),
    ):
        answer = await shared.ask(BOB, method, f"v1beta/{path}")
        assert answer.error == absent(path.partition(":")[0]), (method, path)
        # The same answer as for a resource that never existed.
        invented = f"{path.partition(':')[0][:-3]}qqq" + path[len(path.partition(":")[0]) :]
        answer = await shared.ask(BOB, method, f"v1beta/{invented}")
        assert answer.error == absent(invented.partition(":")[0]), (method, invented)
    assert (await shared.create(BOB, file)).error == absent(file)
    assert await shared.listed(BOB, "files") == await shared.listed(BOB, "batches") == []
    assert (await shared.ask(ANN, "GET", f"v1beta/{file}")).status == 200
    assert (await shared.ask(ANN, "GET", f"v1beta/{batch['name']}")).status == 200


async def test_results_belong_to_the_tenant_of_their_batch(shared: SharedProxy) -> None:
    batch = (await shared.create(ANN, (await shared.upload(ANN))["name"])).ok["name"]
    await shared.steer(batch)
    ended = (await shared.ask(ANN, "GET", f"v1beta/{batch}")).ok
    results = ended["metadata"]["output"]["responsesFile"]
    download = f"v1beta/{results}:download?alt=media"
    assert '"k0"' in (await shared.ask(ANN, "GET", download)).text
    assert (await shared.ask(ANN, "GET", f"v1beta/{results}")).status == 200
    for method, path in (("GET", download), ("GET", results), ("DELETE", results)):
        answer = await shared.ask(BOB, method, path if path == download else f"v1beta/{path}")
        assert answer.error == absent(results)


async def test_a_deleted_resource_has_no_owner(shared: SharedProxy) -> None:
    file = (await shared.upload(ANN))["name"]
    batch = (await shared.create(ANN, requests())).ok["name"]
    await shared.steer(batch)
    await shared.ask(ANN, "GET", f"v1beta/{batch}")
    for name in (file, batch):
        assert (await shared.ask(ANN, "DELETE", f"v1beta/{name}")).ok == {}
        assert (await shared.ask(ANN, "GET", f"v1beta/{name}")).error == absent(name)
    assert [info.name async for info in shared.state.list("owned/")] == []


async def test_requests_cannot_name_another_tenants_files(shared: SharedProxy) -> None:
    file = await shared.upload(ANN, SCAN, "scan.pdf")
    for uri in (file["uri"], file["name"]):
        refused = await shared.create(BOB, requests(uri))
        assert refused.error[:2] == (400, "INVALID_ARGUMENT")
        assert "parts[1].fileData.fileUri" in refused.error[2]
        own = await shared.create(ANN, requests(uri))
        assert (own.status == 200) is (shared.provider not in NAMES_NO_FILES), uri


async def test_pages_are_full_and_end(shared: SharedProxy) -> None:
    ann = []
    for _ in range(5):
        ann.append((await shared.upload(ANN))["name"])
        await shared.upload(BOB)
    for size in (1, 2, 3, 5, 6):
        assert sorted(await shared.listed(ANN, "files", size)) == sorted(ann)
    batches = []
    for _ in range(3):
        batches.append((await shared.create(ANN, requests())).ok["name"])
        await shared.create(BOB, requests())
    for size in (1, 2, 3, 4):
        assert sorted(await shared.listed(ANN, "batches", size)) == sorted(batches)


async def test_only_the_own_key_reaches_the_provider(shared: SharedProxy) -> None:
    await shared.create(ANN, (await shared.upload(ANN))["name"])
    await shared.ask(None, "GET", f"v1beta/files?key={ANN}")
    await shared.ask(None, "GET", "v1beta/files", Authorization=f"Bearer {ANN}")
    seen = await shared.upstream_requests()
    assert "/v1" in seen
    assert ANN not in seen


@pytest.mark.parametrize("key", [None, "no-token"])
async def test_without_a_token_nothing_is_served(shared: SharedProxy, key: str | None) -> None:
    for method, path in (("GET", "v1beta/files"), ("POST", "upload/v1beta/files")):
        assert (await shared.ask(key, method, path)).error[:2] == (401, "UNAUTHENTICATED")
    assert "/v1" not in await shared.upstream_requests()


async def test_a_key_repeats_a_creation_of_the_same_tenant_alone(shared: SharedProxy) -> None:
    ann = (await shared.create(ANN, requests(), "1")).ok["name"]
    again = (await shared.create(ANN, requests(), "1")).ok["name"]
    bob = (await shared.create(BOB, requests(), "1")).ok["name"]
    assert ann == again != bob
    assert await shared.listed(BOB, "batches") == [bob]


# --- only some providers ---------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["raw", "multipart"])
async def test_files_of_one_request_have_an_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    form = (
        b"--b\r\nContent-Type: application/json\r\n\r\n"
        b'{"file": {"displayName": "input.jsonl"}}\r\n'
        b"--b\r\nContent-Type: application/jsonl\r\n\r\n" + lines() + b"\r\n--b--"
    )
    sent: dict[str, Any] = {
        "raw": (lines(), "application/jsonl"),
        "multipart": (form, "multipart/related; boundary=b"),
    }
    data, content_type = sent[protocol]
    async with shared_proxy("openai", tmp_path / "state", monkeypatch) as shared:
        answer = await shared.ask(
            ANN,
            "POST",
            "upload/v1beta/files",
            data=data,
            X_Goog_Upload_Protocol=protocol,
            Content_Type=content_type,
        )
        assert await shared.listed(ANN, "files") == [answer.ok["file"]["name"]]
        assert await shared.listed(BOB, "files") == []
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        answer = await shared.ask(
            ANN,
            "POST",
            "upload/v1beta/files",
            data=data,
            X_Goog_Upload_Protocol=protocol,
            Content_Type=content_type,
        )
        assert answer.error[:2] == (501, "UNIMPLEMENTED")


async def test_lines_of_a_file_cannot_name_another_tenants_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy("openai", tmp_path / "state", monkeypatch) as shared:
        scan = await shared.upload(ANN, SCAN, "scan.pdf")
        source = (await shared.upload(BOB, lines(scan["uri"])))["name"]
        refused = await shared.create(BOB, source)
        assert refused.error[:2] == (400, "INVALID_ARGUMENT")
        assert refused.error[2].startswith("line 1.request.contents[0].parts[1].fileData.fileUri")
        own = (await shared.upload(ANN, lines(scan["uri"])))["name"]
        assert (await shared.create(ANN, own)).status == 200


async def test_native_lines_cannot_name_another_tenants_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy("mistral", tmp_path / "state", monkeypatch) as shared:
        scan = await shared.upload(ANN, SCAN, "scan.pdf")
        native = decode_file_id(scan["name"].removeprefix("files/"))
        assert native is not None
        chunk = {"type": "file", "file_id": native.native}
        body = {"messages": [{"role": "user", "content": [chunk]}]}
        line = orjson.dumps({"custom_id": "a", "body": body})
        refused = await shared.create(BOB, (await shared.upload(BOB, line))["name"])
        assert refused.error[:2] == (400, "INVALID_ARGUMENT")
        assert refused.error[2].startswith("line 1.body.messages[0].content[0].file_id")
        assert (await shared.create(ANN, (await shared.upload(ANN, line))["name"])).status == 200
