"""Every path form of every SDK (sdk-wire.md sections 0, 1, 3 and 6)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from middlewares.routes import UPLOAD_PATH, Call, Route, parse_route, parse_upload_url

ID = "fabc2"
URI = f"http://localhost:8080/genai/v1beta/files/{ID}"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("path", "target", "version"),
    [
        ("/upload/v1/files", "upload/v1/files", "v1"),  # Python 3.4
        ("/upload/v1beta/files", "upload/v1beta/files", "v1beta"),  # JS, Go, Java
        ("/upload/v1alpha/files", "upload/v1alpha/files", "v1alpha"),
        ("/upload/files", "upload/files", ""),  # api_version=''
        ("/v1beta/upload/v1beta/files", "upload/v1beta/files", "v1beta"),  # JS per-call options
        ("/v1alpha/upload/v1beta/files", "upload/v1beta/files", "v1beta"),  # Go with APIVersion
        ("/v1beta/v1/upload/v1/files", "upload/v1/files", "v1"),
        ("/upload/v1beta/v1beta/files", "upload/v1beta/files", "v1beta"),
        ("//upload//v1beta//files", "upload/v1beta/files", "v1beta"),
        ("/upload/v1beta/files/", "upload/v1beta/files/", "v1beta"),
    ],
)
def test_upload(method: str, path: str, target: str, version: str) -> None:
    route = parse_route(method, f"/genai{path}")
    if path.endswith("/"):
        assert route is not None
        assert route.call is Call.OTHER
    else:
        assert route == Route(Call.UPLOAD, target, version)


@pytest.mark.parametrize("prefix", ["v1", "v1beta", "v1alpha", "v1beta/v1", "v1beta/v1beta", ""])
@pytest.mark.parametrize(
    ("method", "path", "call", "name"),
    [
        ("GET", "files", Call.LIST_FILES, ""),
        ("GET", f"files/{ID}", Call.GET_FILE, ID),
        ("DELETE", f"files/{ID}", Call.DELETE_FILE, ID),
        ("GET", f"files/{ID}:download", Call.DOWNLOAD_FILE, ID),
        ("GET", "batches", Call.LIST_BATCHES, ""),
        ("GET", "batches/batch_AbC-1.x~y", Call.GET_BATCH, "batch_AbC-1.x~y"),
        ("DELETE", "batches/b1", Call.DELETE_BATCH, "b1"),
        ("POST", "batches/b1:cancel", Call.CANCEL_BATCH, "b1"),
        ("GET", "batches/a:b", Call.GET_BATCH, "a:b"),
        ("POST", "batches/a:b:cancel", Call.CANCEL_BATCH, "a:b"),
        ("GET", "batches/a%2Fb", Call.GET_BATCH, "a/b"),
        ("POST", "models/gpt-4o:batchGenerateContent", Call.GENERATE_BATCH, "gpt-4o"),
        ("POST", "models/openai/gpt-4o:batchGenerateContent", Call.GENERATE_BATCH, "openai/gpt-4o"),
        ("POST", "models/openai%2Fgpt-4o:batchGenerateContent", Call.GENERATE_BATCH,
         "openai/gpt-4o"),
        ("POST", "models/anthropic.claude-v1:0:batchGenerateContent", Call.GENERATE_BATCH,
         "anthropic.claude-v1:0"),
        ("POST", "models/ft:gpt-4o:acme::id:asyncBatchEmbedContent", Call.EMBED_BATCH,
         "ft:gpt-4o:acme::id"),
        ("POST", "models/emb:asyncBatchEmbedContent", Call.EMBED_BATCH, "emb"),
    ],
)  # fmt: skip
def test_calls(prefix: str, method: str, path: str, call: Call, name: str) -> None:
    route = parse_route(method, f"/genai/{prefix}/{path}")
    version = prefix.rpartition("/")[2]
    assert route == Route(call, "/".join(p for p in (version, path) if p), version, name)


@pytest.mark.parametrize(
    "uri",
    [
        URI,
        URI.replace("http:", "https:"),
        URI.replace("http://", "http:/"),  # Go cleans the path
        f"https://ferry.example/base/genai/v1beta/files/{ID}",
        f"files/{ID}",
        f"{URI}:download",
    ],
)
def test_a_uri_as_a_name(uri: str) -> None:
    route = parse_route("GET", f"/genai/v1/files/{uri}")
    call, verb = (Call.DOWNLOAD_FILE, ":download") if uri.endswith("load") else (Call.GET_FILE, "")
    assert route == Route(call, f"v1/files/{ID}{verb}", "v1", ID)


@pytest.mark.parametrize("path", ["download/v1/files", "v1/download/v1/files", "download/files"])
def test_the_download_service(path: str) -> None:
    route = parse_route("GET", f"/genai/{path}/{ID}:download")
    assert route is not None
    assert (route.call, route.name) == (Call.DOWNLOAD_FILE, ID)
    assert route.target.startswith("download/")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "v1/files:register"),
        ("POST", "v1beta/models/m:generateContent"),
        ("POST", "v1beta/models/m:countTokens"),
        ("GET", "v1beta/models"),
        ("GET", "v1beta/models/m:batchGenerateContent"),
        ("PATCH", "v1/files/a"),
        ("POST", "v1/files/a"),
        ("DELETE", "v1/files"),
        ("GET", "v1/files/"),
        ("DELETE", "v1/batches/"),
        ("POST", "v1/models/:batchGenerateContent"),
        ("GET", "upload/v1/files"),
        ("GET", "upload/v1/files/a"),
        ("GET", "download/v1/files/a"),
        ("GET", "download/v1/batches/a"),
        ("GET", "upload/v1beta/fileSearchStores/a:uploadToFileSearchStore"),
        ("POST", "upload/v1beta/"),
        ("GET", "v1/cachedContents/files/a"),
    ],
)
def test_everything_else_keeps_its_path(method: str, path: str) -> None:
    route = parse_route(method, f"/genai/{path}")
    assert route is not None
    assert (route.call, route.target) == (Call.OTHER, path)


@pytest.mark.parametrize("doubled", ["", "v1beta/", "v1/"])
def test_an_upload_into_something_other_than_files(doubled: str) -> None:
    rest = "fileSearchStores/a%2Fb:uploadToFileSearchStore"
    route = parse_route("POST", f"/genai/{doubled}upload/v1beta/{rest}")
    assert route == Route(Call.UPLOAD_ELSEWHERE, f"upload/v1beta/{rest}", "v1beta", rest)
    assert parse_upload_url("POST", f"/genai/upload/v1beta/{rest}") is None


@pytest.mark.parametrize("path", ["/", "/genaix/v1/files", "/v1/files", "/GENAI/v1/files", "", "*"])
def test_outside_genai_is_nothing(path: str) -> None:
    assert parse_route("GET", path) is None


# --- with an upload_id ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("path", "version"),
    [
        (UPLOAD_PATH, "v1beta"),
        ("/genai/genai/upload/v1beta/files", "v1beta"),  # Java: base path, then the URL's own
        ("/team/genai/team/genai/upload/v1beta/files", "v1beta"),  # Java below a sub-path
        ("/genai/team/genai/upload/v1beta/files", "v1beta"),  # the same, `/team` stripped once
        ("/team/genai/upload/v1beta/files", "v1beta"),  # an ingress that strips one `/genai`
        ("/upload/v1beta/files", "v1beta"),
        ("/upload/files", ""),
        ("/genai/upload/upload/files", ""),
        ("/genai/v1/v1beta/upload/v1/v1alpha/files", "v1alpha"),
        ("//genai//upload//v1beta//files", "v1beta"),
    ],
)
def test_an_upload_url_is_known_by_its_tail(method: str, path: str, version: str) -> None:
    target = f"upload/{version}/files" if version else "upload/files"
    assert parse_upload_url(method, path) == Route(Call.UPLOAD, target, version)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", UPLOAD_PATH),
        ("DELETE", UPLOAD_PATH),
        ("POST", f"{UPLOAD_PATH}/"),
        ("POST", f"{UPLOAD_PATH}/a"),
        ("POST", "/genai/v1beta/files"),
        ("POST", "/genai/xupload/v1beta/files"),
        ("POST", "/genai/upload/v1beta/cachedContents"),
        ("POST", "/genai/upload/other/files"),
        ("POST", "/genai/upload/v1beta/a/files"),
        ("POST", "/genai/upload%2Fv1beta%2Ffiles"),
        ("POST", "/files"),
        ("POST", ""),
    ],
)
def test_another_tail_is_no_upload_url(method: str, path: str) -> None:
    assert parse_upload_url(method, path) is None


SEGMENTS = st.sampled_from(["genai", "upload", "download", "v1", "v1beta", "files", "", "team"])


@given(st.lists(SEGMENTS, max_size=8))
@example(["v1", "upload", "files"])
def test_every_path_of_an_upload_is_one_of_an_upload_url(segments: list[str]) -> None:
    path = "/genai/" + "/".join(segments)
    route = parse_route("POST", path)
    assert route is not None
    if route.call is Call.UPLOAD:
        assert parse_upload_url("POST", path) == route


@given(st.text(max_size=40), st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]))
def test_no_path_is_an_error(path: str, method: str) -> None:
    route = parse_route(method, f"/genai/{path}")
    assert route is not None
    assert not route.target.startswith("/")


@pytest.mark.parametrize(
    "path",
    ["files", f"files/{ID}", f"files/{ID}:download", "batches", "batches/b1", "models", "upload"],
)
def test_head_is_routed_as_get(path: str) -> None:
    as_get = parse_route("GET", f"/genai/v1beta/{path}")
    assert as_get is not None
    assert parse_route("HEAD", f"/genai/v1beta/{path}") == as_get
