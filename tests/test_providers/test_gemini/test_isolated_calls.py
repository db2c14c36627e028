"""The only paths that are relayed if tenants share the proxy's key."""

import pytest
from yarl import URL

from providers.errors import FerryError
from providers.gemini.isolated_calls import CallKind, IsolatedCall, parse_call
from providers.status import Status
from providers.tenancy.ownership import ResourceKind


@pytest.mark.parametrize(
    ("method", "target", "call"),
    [
        ("GET", "/v1beta/files", IsolatedCall(CallKind.LIST, ResourceKind.FILES)),
        ("GET", "/files?pageSize=5&pageToken=x", IsolatedCall(CallKind.LIST, ResourceKind.FILES)),
        ("GET", "/v1/files/a-1", IsolatedCall(CallKind.READ, ResourceKind.FILES, "a-1")),
        (
            "GET",
            "/download/v1beta/files/a:download?alt=media",
            IsolatedCall(CallKind.READ, ResourceKind.FILES, "a"),
        ),
        ("DELETE", "/v1beta/files/a", IsolatedCall(CallKind.DELETE, ResourceKind.FILES, "a")),
        ("GET", "/v1beta/batches", IsolatedCall(CallKind.LIST, ResourceKind.BATCHES)),
        (
            "POST",
            "/v1beta/batches/b:cancel",
            IsolatedCall(CallKind.CANCEL, ResourceKind.BATCHES, "b"),
        ),
        (
            "POST",
            "/v1beta/models/gemini-2.5-flash:batchGenerateContent",
            IsolatedCall(CallKind.CREATE_BATCH, ResourceKind.BATCHES),
        ),
        ("GET", "/v1beta/models", IsolatedCall(CallKind.STATELESS, None)),
        (
            "POST",
            "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
            IsolatedCall(CallKind.STATELESS, None),
        ),
    ],
)
def test_the_surface_is_known(method: str, target: str, call: IsolatedCall) -> None:
    assert parse_call(method, URL(target, encoded=True)) == call


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v1beta/files/a"),
        ("PATCH", "/v1beta/batches/b:updateGenerateContentBatch"),
        ("GET", "/v1beta/cachedContents"),
        ("GET", "/v1beta/operations/o"),
        ("GET", "/v1beta/tunedModels"),
        ("POST", "/v1beta/files:register"),
        ("POST", "/upload/v1beta/files"),
        ("POST", "/v1beta/models/m:predictLongRunning"),
        ("POST", "/v1beta/models/m/../../files:generateContent"),
        ("POST", "/v1beta/models/m%3AgenerateContent"),
        ("GET", "/v1beta/files/a/../b"),
        ("GET", "/v1beta/files/%61"),
        ("GET", "/v1beta/files/a%2Fb"),
        ("GET", "/v1beta/files/a/"),
        ("GET", "/v1beta/v1beta/files"),
    ],
)
def test_other_paths_are_not_served(method: str, target: str) -> None:
    with pytest.raises(FerryError) as caught:
        parse_call(method, URL(target, encoded=True))
    assert caught.value.status == Status.UNIMPLEMENTED


@pytest.mark.parametrize("query", ["fields=nextPageToken", "$httpMethod=DELETE", "access_token=x"])
def test_no_parameter_changes_what_a_call_does(query: str) -> None:
    with pytest.raises(FerryError) as caught:
        parse_call("GET", URL(f"/v1beta/files/a?{query}", encoded=True))
    assert (caught.value.status, caught.value.path) == (
        Status.INVALID_ARGUMENT,
        query.partition("=")[0],
    )
