"""Every path form of every SDK (sdk-wire.md sections 0, 1, 3 and 6)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from middlewares.routes import parse_route, parse_upload_url

ID = "fabc2"
UPLOAD_PATH = "/genai/upload/v1beta/files"
URI = f"http://localhost:8080/genai/v1beta/files/{ID}"


def routed(method: str, path: str) -> tuple[str, str, str, str]:
    """Call, target, version and named resource of a path below `/genai`."""
    route = parse_route(method, path)
    assert route is not None
    return route.call.name, route.target, route.version, route.resource


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
    call = "other" if path.endswith("/") else "upload"
    target = target.removesuffix("/") if call == "upload" else path.lstrip("/")
    assert routed(method, f"/genai{path}") == (call, target, version, "")


@pytest.mark.parametrize("prefix", ["v1", "v1beta", "v1alpha", "v1beta/v1", "v1beta/v1beta", ""])
@pytest.mark.parametrize(
    ("method", "path", "call", "name"),
    [
        ("GET", "files", "list_files", ""),
        ("GET", f"files/{ID}", "get_file", ID),
        ("DELETE", f"files/{ID}", "delete_file", ID),
        ("GET", f"files/{ID}:download", "download_file", ID),
        ("GET", "batches", "list_batches", ""),
        ("GET", "batches/batch_AbC-1.x~y", "get_batch", "batch_AbC-1.x~y"),
        ("DELETE", "batches/b1", "delete_batch", "b1"),
        ("POST", "batches/b1:cancel", "cancel_batch", "b1"),
        ("GET", "batches/a:b", "get_batch", "a:b"),
        ("POST", "batches/a:b:cancel", "cancel_batch", "a:b"),
        ("GET", "batches/a%2Fb", "get_batch", "a/b"),
        ("POST", "models/gpt-4o:batchGenerateContent", "generate_batch", "gpt-4o"),
        ("POST", "models/openai/gpt-4o:batchGenerateContent", "generate_batch", "openai/gpt-4o"),
        ("POST", "models/openai%2Fgpt-4o:batchGenerateContent", "generate_batch",
         "openai/gpt-4o"),
        ("POST", "models/anthropic.claude-v1:0:batchGenerateContent", "generate_batch",
         "anthropic.claude-v1:0"),
        ("POST", "models/ft:gpt-4o:acme::id:asyncBatchEmbedContent", "embed_batch",
         "ft:gpt-4o:acme::id"),
        ("POST", "models/emb:asyncBatchEmbedContent", "embed_batch", "emb"),
        ("POST", "models/gpt-4o:generateContent", "generate", "gpt-4o"),
        ("POST", "models/anthropic.claude-v1:0:countTokens", "count_tokens",
         "anthropic.claude-v1:0"),
        ("POST", "models/emb:embedContent", "embed", "emb"),
        ("POST", "models/amazon.titan-v2:0:batchEmbedContents", "embed_many", "amazon.titan-v2:0"),
        ("POST", "models/anthropic.claude-v1:0:streamGenerateContent", "stream",
         "anthropic.claude-v1:0"),
        ("GET", "models", "list_models", ""),
        ("GET", "models/gpt-4o", "get_model", "gpt-4o"),
        ("GET", "models/openai/gpt-4o", "get_model", "openai/gpt-4o"),
        ("GET", "models/anthropic.claude-v1:0", "get_model", "anthropic.claude-v1:0"),
        ("GET", "models/arn:aws:bedrock:r:1:inference-profile/us.x-v1:0", "get_model",
         "arn:aws:bedrock:r:1:inference-profile/us.x-v1:0"),
    ],
)  # fmt: skip
def test_calls(prefix: str, method: str, path: str, call: str, name: str) -> None:
    version = prefix.rpartition("/")[2]
    target = "/".join(p for p in (version, path) if p)
    resource = f"{path.partition('/')[0]}/{name}" if name else ""
    assert routed(method, f"/genai/{prefix}/{path}") == (call, target, version, resource)


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
    call, verb = ("download_file", ":download") if uri.endswith("load") else ("get_file", "")
    expected = (call, f"v1/files/{ID}{verb}", "v1", f"files/{ID}")
    assert routed("GET", f"/genai/v1/files/{uri}") == expected


@pytest.mark.parametrize("path", ["download/v1/files", "v1/download/v1/files", "download/files"])
def test_the_download_service(path: str) -> None:
    call, target, _, resource = routed("GET", f"/genai/{path}/{ID}:download")
    assert (call, resource) == ("download_file", f"files/{ID}")
    assert target.startswith("download/")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "v1/files:register"),
        ("POST", "v1beta/models/m:predict"),
        ("GET", "v1beta/models/veo/operations/a"),
        ("GET", "v1beta/tunedModels/a"),
        ("POST", "v1beta/models/m:computeTokens"),
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
        ("DELETE", "v1/files/a:download"),
        ("GET", "v1/batches/a:cancel"),
        ("GET", "v1/files/:download"),
        ("GET", "download/v1/files"),
        ("POST", "upload/v1/files/a"),
    ],
)
def test_everything_else_keeps_its_path(method: str, path: str) -> None:
    assert routed(method, f"/genai/{path}")[:2] == ("other", path)


@pytest.mark.parametrize("doubled", ["", "v1beta/", "v1/"])
def test_an_upload_into_something_other_than_files(doubled: str) -> None:
    rest = "fileSearchStores/a%2Fb:uploadToFileSearchStore"
    route = parse_route("POST", f"/genai/{doubled}upload/v1beta/{rest}")
    assert route is not None
    assert (route.call.name, route.target) == ("upload_elsewhere", f"upload/v1beta/{rest}")
    assert (route.version, route.name, route.resource) == ("v1beta", rest, "")
    assert parse_upload_url("POST", f"/genai/upload/v1beta/{rest}") is None


@pytest.mark.parametrize("path", ["/", "/genaix/v1/files", "/v1/files", "/GENAI/v1/files", "", "*"])
def test_paths_outside_genai_are_not_routed(path: str) -> None:
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
def test_an_upload_url_is_recognised_by_its_tail(method: str, path: str, version: str) -> None:
    target = f"upload/{version}/files" if version else "upload/files"
    route = parse_upload_url(method, path)
    assert route is not None
    assert (route.call.name, route.target, route.version) == ("upload", target, version)


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
def test_a_path_with_another_tail_is_not_an_upload_url(method: str, path: str) -> None:
    assert parse_upload_url(method, path) is None


SEGMENTS = st.sampled_from(["genai", "upload", "download", "v1", "v1beta", "files", "", "team"])


@given(st.lists(SEGMENTS, max_size=8))
@example(["v1", "upload", "files"])
def test_every_upload_path_can_be_an_upload_url(segments: list[str]) -> None:
    path = "/genai/" + "/".join(segments)
    route = parse_route("POST", path)
    assert route is not None
    if route.call.name == "upload":
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
