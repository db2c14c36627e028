"""Calls to upstreams over TLS that a bundle trusts, and through forward proxies."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from yarl import URL

from providers.status import Status
from providers.upstream import OutboundRequest, UpstreamError
from proxy import outbound
from proxy.outbound import OutboundClient
from proxy.outbound_settings import outbound_client, outbound_problem
from proxy.settings import Settings
from proxy.system_trust import system_trust
from tests.test_proxy.certificates import certificate
from tests.test_proxy.network import ForwardProxy, forward_proxy, tls_endpoint
from tests.test_proxy.raw_upstream import answer_once, raw_upstream

KEY = "sk-secret-key"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NAMED = URL("https://api.example/v1/files")


@asynccontextmanager
async def client_with(bundle: Path | None) -> AsyncIterator[OutboundClient]:
    client = outbound_client(Settings(upstream_ca_bundle=bundle))
    try:
        yield client
    finally:
        await client.close()


async def answered(client: OutboundClient, url: URL) -> bytes:
    request = OutboundRequest("POST", url, {"Authorization": f"Bearer {KEY}"}, b"body")
    async with await client.send(request) as reply:
        assert reply.status == 200
        return await reply.read(10)


async def refused(client: OutboundClient, url: URL) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await answered(client, url)
    return caught.value


# --- a bundle --------------------------------------------------------------------------------


async def test_a_bundle_is_trusted(tmp_path: Path) -> None:
    cert = certificate(tmp_path)
    async with raw_upstream(answer_once(OK)) as inner, tls_endpoint(inner, cert) as url:
        async with client_with(cert) as trusting:
            assert await answered(trusting, url) == b"ok"
        async with client_with(None) as untrusting:
            error = await refused(untrusting, url)
    assert (error.status, error.unsent) == (Status.FAILED_PRECONDITION, True)
    assert "the certificate of 127.0.0.1 is not trusted" in error.message


async def test_a_bundle_adds_to_the_systems_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, added = certificate(tmp_path, "system"), certificate(tmp_path, "added")
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    async with raw_upstream(answer_once(OK)) as inner, tls_endpoint(inner, system) as url:
        async with client_with(added) as client:
            assert await answered(client, url) == b"ok"


async def test_without_a_bundle_the_systems_certificates_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    made: list[ssl.SSLContext] = []

    def counted() -> ssl.SSLContext:
        made.append(system_trust())
        return made[-1]

    monkeypatch.setattr(outbound, "system_trust", counted)
    async with raw_upstream(answer_once(OK)) as inner:
        async with tls_endpoint(inner, system) as url, client_with(None) as client:
            both = await asyncio.gather(answered(client, url), answered(client, url))
    assert set(both) == {b"ok"}
    assert len(made) == 1  # with many first calls at once, each one would take 1 MiB


async def test_a_bundle_does_not_replace_the_check_of_the_name(tmp_path: Path) -> None:
    cert = certificate(tmp_path, host="other.example")
    async with raw_upstream(answer_once(OK)) as inner, tls_endpoint(inner, cert) as url:
        async with client_with(cert) as client:
            assert (await refused(client, url)).status is Status.FAILED_PRECONDITION


def test_an_unusable_bundle_is_named(tmp_path: Path) -> None:
    absent, empty = tmp_path / "absent", tmp_path / "empty"
    empty.touch()
    assert outbound_problem(Settings(upstream_ca_bundle=certificate(tmp_path))) is None
    assert outbound_problem(Settings(upstream_ca_bundle=absent)) == (
        f"FERRY_UPSTREAM_CA_BUNDLE: cannot read {absent}: No such file or directory"
    )
    assert outbound_problem(Settings(upstream_ca_bundle=empty)) == (
        f"FERRY_UPSTREAM_CA_BUNDLE: there is no certificate in PEM in {empty}"
    )


def test_an_unusable_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://proxy.example")
    assert (outbound_problem(Settings()) or "").startswith("HTTPS_PROXY: must be the address of")


# --- a forward proxy -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("password", [None, "user:p@ss"])
async def test_https_goes_through_a_tunnel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool, password: str | None
) -> None:
    bundle = tmp_path / "bundle.pem"
    for_api, for_proxy = certificate(tmp_path, "a", host="api.example"), certificate(tmp_path, "b")
    bundle.write_bytes(for_api.read_bytes() + for_proxy.read_bytes())
    async with raw_upstream(answer_once(OK)) as inner, tls_endpoint(inner, for_api) as there:
        proxy = ForwardProxy({"api.example:443": there}, password=password)
        async with forward_proxy(proxy, for_proxy if encrypted else None) as url:
            named = url.with_user("user").with_password("p@ss") if password else url
            monkeypatch.setenv("HTTPS_PROXY", str(named))
            async with client_with(bundle) as client:
                assert await answered(client, NAMED) == b"ok"
    assert proxy.targets == ["api.example:443"]
    assert KEY not in proxy.heads[0]


async def test_http_goes_through_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_upstream(answer_once(OK)) as there:
        proxy = ForwardProxy({"api.example:80": there})
        async with forward_proxy(proxy) as url:
            monkeypatch.setenv("HTTP_PROXY", str(url))
            async with client_with(None) as client:
                assert await answered(client, NAMED.with_scheme("http")) == b"ok"
    assert proxy.targets == ["http://api.example/v1/files"]


async def test_a_netrc_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp would send its passwords to upstreams that get their key in another header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example login user password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with raw_upstream(answer_once(OK)) as there:
        proxy = ForwardProxy({"api.example:80": there})
        async with forward_proxy(proxy) as url:
            monkeypatch.setenv("HTTP_PROXY", str(url))
            async with client_with(None) as client:
                request = OutboundRequest("GET", NAMED.with_scheme("http"), {"x-goog-api-key": "k"})
                async with await client.send(request) as reply:
                    assert reply.status == 200
    assert "authorization" not in proxy.heads[0].lower()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_missing_password_is_the_operators_mistake(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    async with forward_proxy(ForwardProxy({}, password="user:secret")) as url:
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", str(url))
        async with client_with(None) as client:
            error = await refused(client, NAMED.with_scheme(scheme))
    assert (error.status, error.unsent) == (Status.FAILED_PRECONDITION, True)
    assert "asks for a user name and a password" in error.message


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ("403 Forbidden", Status.FAILED_PRECONDITION),
        ("429 Too Many Requests", Status.UNAVAILABLE),
        ("502 Bad Gateway", Status.UNAVAILABLE),
        ("504 Gateway Timeout", Status.UNAVAILABLE),
    ],
)
async def test_a_refused_tunnel_names_the_proxy(
    monkeypatch: pytest.MonkeyPatch, refusal: str, status: Status
) -> None:
    async with forward_proxy(ForwardProxy({}, refusal=refusal)) as url:
        monkeypatch.setenv("HTTPS_PROXY", str(url))
        async with client_with(None) as client:
            error = await refused(client, NAMED)
    assert (error.status, error.unsent) == (status, True)
    assert error.message.startswith(
        f"the forward proxy refuses to connect to api.example (status {refusal[:3]})"
    )


@pytest.mark.parametrize(
    ("proxy", "problem", "status"),
    [
        ("http://user:secret@127.0.0.1:1", "cannot be reached", Status.UNAVAILABLE),
        ("http://nowhere.invalid:3128", "does not exist", Status.FAILED_PRECONDITION),
    ],
)
async def test_an_absent_proxy_is_named_in_place_of_the_upstream(
    monkeypatch: pytest.MonkeyPatch, proxy: str, problem: str, status: Status
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    async with client_with(None) as client:
        error = await refused(client, NAMED)
    assert f"the forward proxy {URL(proxy).host}" in error.message
    assert problem in error.message
    assert "secret" not in error.message
    assert (error.status, error.unsent) == (status, True)


async def test_an_untrusted_upstream_is_named_behind_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert = certificate(tmp_path, host="api.example")
    async with raw_upstream(answer_once(OK)) as inner, tls_endpoint(inner, cert) as there:
        async with forward_proxy(ForwardProxy({"api.example:443": there})) as url:
            monkeypatch.setenv("HTTPS_PROXY", str(url))
            async with client_with(None) as client:
                error = await refused(client, NAMED)
    assert "the certificate of api.example is not trusted" in error.message
