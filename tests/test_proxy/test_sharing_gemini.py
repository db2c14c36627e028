"""What Gemini's relay allows if tenants share the proxy's own key."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.test_proxy.shared_proxy import ANN, requests, shared_proxy


async def test_gemini_serves_only_what_can_be_isolated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        for method, path in (
            ("GET", "v1beta/cachedContents"),
            ("POST", "v1beta/cachedContents"),
            ("GET", "v1beta/operations/x"),
            ("PATCH", "v1beta/batches/x:updateGenerateContentBatch"),
            ("POST", "v1beta/models/veo:predictLongRunning"),
            ("GET", "v1beta/files/%61"),
            ("GET", "v1beta/batches/a%2f..%2fb"),
            ("POST", "v1beta/files:register"),
            ("POST", "upload/v1beta/fileSearchStores/x:uploadToFileSearchStore"),
        ):
            assert (await shared.ask(ANN, method, path)).error[:2] == (501, "UNIMPLEMENTED"), path
        assert "/v1" not in await shared.upstream_requests()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"cachedContent": "cachedContents/x"}, "body.cachedContent"),
        ({"contents": requests("files/anothers")[0]["contents"]}, "body.contents[0].parts[1]"),
    ],
)
async def test_a_call_at_gemini_cannot_name_another_tenants_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any], path: str
) -> None:
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        call = "v1beta/models/gemini-2.5-flash:generateContent"
        refused = await shared.ask(ANN, "POST", call, document)
        assert refused.error[:2] == (400, "INVALID_ARGUMENT")
        assert refused.error[2].startswith(path)
        # A compressed body cannot be checked, so it is refused.
        data = gzip.compress(orjson.dumps(document))
        refused = await shared.ask(ANN, "POST", call, data=data, Content_Encoding="gzip")
        assert refused.error[:2] == (400, "INVALID_ARGUMENT")
        assert "/v1" not in await shared.upstream_requests()


async def test_no_upload_starts_into_a_store_shared_by_all_tenants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        path = "upload/v1beta/fileSearchStores/x:uploadToFileSearchStore"
        refused = await shared.ask(ANN, "POST", path, {}, X_Goog_Upload_Command="start")
        assert refused.error[:2] == (501, "UNIMPLEMENTED")
        assert "/upload" not in await shared.upstream_requests()


async def test_googles_file_names_cannot_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        refused = await shared.ask(
            ANN,
            "POST",
            "upload/v1beta/files",
            {"file": {"name": "files/of-another-before"}},
            X_Goog_Upload_Protocol="resumable",
            X_Goog_Upload_Command="start",
        )
        assert refused.error[:2] == (400, "INVALID_ARGUMENT")
        assert "/v1" not in await shared.upstream_requests()


async def test_many_results_at_gemini_stream_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "x" * (3 << 20)
    async with shared_proxy("gemini", tmp_path / "state", monkeypatch) as shared:
        asked = [{"contents": [{"role": "user", "parts": [{"text": text}]}]}]
        batch = (await shared.create(ANN, asked)).ok["name"]
        await shared.steer(batch)
        assert text in (await shared.ask(ANN, "GET", f"v1beta/{batch}")).text
