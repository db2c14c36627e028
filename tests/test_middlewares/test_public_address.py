"""Our address comes only from the setting, a trusted proxy, or the request's Host."""

from ipaddress import ip_network
from typing import Any
from unittest.mock import Mock, patch

import pytest
from aiohttp.test_utils import make_mocked_request

from middlewares.public_address import PublicAddress
from providers.errors import FerryError

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
FORWARDED = {"X-Forwarded-Host": "ferry.example", "X-Forwarded-Proto": "https"}


def request_from(remote: str | None, **headers: str) -> Any:
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, *_: (
        (remote, 1) if name == "peername" and remote else None
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_mocked_request("GET", "/genai/v1/files", named, transport=transport)


@pytest.mark.parametrize(
    "configured",
    [
        "https://a.example/base",
        "https://a.example/base/",
        "https://a.example/base/genai",
        "https://a.example/base/genai/",
    ],
)
def test_the_configured_address_takes_precedence(configured: str) -> None:
    request = request_from("127.0.0.1", Host="other", X_Forwarded_Host="third")
    assert PublicAddress(configured, LOOPBACK).of(request) == "https://a.example/base/genai"


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.9.9.9", "::1"])
def test_a_trusted_proxy_is_believed(remote: str) -> None:
    request = request_from(remote, Host="inside:8080", **_underscored(FORWARDED))
    assert PublicAddress(None, LOOPBACK).of(request) == "https://ferry.example/genai"


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        ("/team", "/team"),
        ("/team/", "/team"),
        ("/", ""),
        ("", ""),
        ("/forged, /team", "/team"),
        ("/a/b-c.d_e~f/2", "/a/b-c.d_e~f/2"),
        ("/" + "a" * 255, "/" + "a" * 255),
        ("/...", "/..."),
        ("/.hidden", "/.hidden"),
    ],
)
def test_the_prefix_that_a_trusted_proxy_removed_is_put_back(prefix: str, path: str) -> None:
    request = request_from("127.0.0.1", Host="a.example:8443", X_Forwarded_Prefix=prefix)
    address = PublicAddress(None, LOOPBACK).of(request)
    assert address == f"http://a.example:8443{path}/genai"


def test_a_prefix_from_anyone_else_is_ignored() -> None:
    request = request_from("10.0.0.1", Host="a.example", X_Forwarded_Prefix="/team")
    assert PublicAddress(None, LOOPBACK).of(request) == "http://a.example/genai"


def test_a_prefix_is_ignored_if_the_address_is_configured() -> None:
    request = request_from("127.0.0.1", Host="a.example", X_Forwarded_Prefix="//evil")
    assert PublicAddress("https://b.example", LOOPBACK).of(request) == "https://b.example/genai"


@pytest.mark.parametrize(
    "prefix",
    [
        "team",
        "//evil.example",
        "/a//b",
        "/a//",
        "/..",
        "/a/../b",
        "/a/.",
        "/./a",
        "/a b",
        "/a?b",
        "/a#b",
        "/a%2e",
        "/\u00e9",
        "/a@b",
        "/a\\b",
        "https://evil.example",
        "/" + "a" * 256,
    ],
)
def test_an_invalid_prefix(prefix: str) -> None:
    request = request_from("127.0.0.1", Host="a.example", X_Forwarded_Prefix=prefix)
    with pytest.raises(
        FerryError, match="X-Forwarded-Prefix must be a path such as /team"
    ) as error:
        PublicAddress(None, LOOPBACK).of(request)
    assert error.value.code == 400


@pytest.mark.parametrize("public", ["https://a.example/team", "https://a.example/team/genai/"])
@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("/team/genai/v1/files", "/genai/v1/files"),
        ("/team/genai", "/genai"),
        ("/genai/v1/files", "/genai/v1/files"),
        ("/genai/team/genai/v1/files", "/genai/team/genai/v1/files"),
        ("/team/genaix", "/team/genaix"),
        ("/teams/genai/v1/files", "/teams/genai/v1/files"),
        ("/team/v1/files", "/team/v1/files"),
        ("/healthz", "/healthz"),
    ],
)
def test_the_public_path_may_be_stripped_or_not(public: str, path: str, local: str) -> None:
    request = make_mocked_request("GET", path)
    assert PublicAddress(public, ()).local_path(request) == local


@pytest.mark.parametrize("public", [None, "https://a.example", "https://a.example/genai"])
def test_without_a_public_path_a_path_stays_unchanged(public: str | None) -> None:
    request = make_mocked_request("GET", "/team/genai/v1/files%2F")
    assert PublicAddress(public, ()).local_path(request) == "/team/genai/v1/files%2F"


def test_an_encoded_public_path_is_matched_as_sent() -> None:
    request = make_mocked_request("GET", "/a%20b/genai/v1/files")
    address = PublicAddress("https://a.example/a%20b", ())
    assert address.local_path(request) == "/genai/v1/files"


@pytest.mark.parametrize("remote", ["10.0.0.1", "2001:db8::1", "", None, "/run/socket"])
def test_other_addresses_are_not_trusted(remote: str | None) -> None:
    request = request_from(remote, Host="inside:8080", **_underscored(FORWARDED))
    assert PublicAddress(None, LOOPBACK).of(request) == "http://inside:8080/genai"


@pytest.mark.parametrize(
    ("hops", "host", "address"),
    [
        # Only the peer is trusted: what is to the left of its values may come from the client.
        ("192.0.2.1", "forged, b.example", "http://b.example/genai"),
        ("10.0.0.9, 192.0.2.1", "forged, b.example", "http://b.example/genai"),
        # The peer names another trusted proxy, so the values of that one count.
        ("192.0.2.1, 127.0.0.2", "forged, a.example, b", "https://a.example/genai"),
        ("192.0.2.1, 127.0.0.2:4000", "forged, a.example, b", "https://a.example/genai"),
        # A proxy may replace the values that it received.
        ("192.0.2.1, 127.0.0.2, 127.0.0.3", "b.example", "http://b.example/genai"),
    ],
)
def test_of_several_proxies_the_outermost_trusted_one_counts(
    hops: str, host: str, address: str
) -> None:
    schemes = ", ".join(["ftp", "HTTPS", "http"][-host.count(",") - 1 :])
    request = request_from(
        "127.0.0.1",
        Host="inside",
        X_Forwarded_For=hops,
        X_Forwarded_Host=host,
        X_Forwarded_Proto=schemes,
    )
    assert PublicAddress(None, LOOPBACK).of(request) == address


@pytest.mark.parametrize("host", ["a.example", "a:1", "[::1]", "[2001:db8::1]:8080", "a_b-c"])
def test_a_valid_host(host: str) -> None:
    assert PublicAddress(None, ()).of(request_from(None, Host=host)) == f"http://{host}/genai"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a b",
        "a/b",
        "a@b",
        "a:",
        "a:x",
        "a:123456",
        "a:\u0663",
        "[::1",
        "::1",
        "a\tb",
        "\u00e9",
        "a:65536",
        "[::1]:99999",
        "..:70000",
    ],
)
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_an_invalid_host(header: str, host: str) -> None:
    headers = {"Host": "a.example", header: host}
    address = PublicAddress(None, LOOPBACK)
    request = request_from("127.0.0.1", **_underscored(headers))
    if header == "X-Forwarded-Host" and not host:
        assert address.of(request) == "http://a.example/genai"
        return
    with pytest.raises(FerryError, match=rf"^{header} must be a host name") as refusal:
        address.of(request)
    assert refusal.value.code == 400


@pytest.mark.parametrize("scheme", ["ftp", "javascript", "http:"])
def test_an_invalid_scheme(scheme: str) -> None:
    request = request_from("127.0.0.1", Host="a", X_Forwarded_Proto=scheme)
    with pytest.raises(FerryError, match=r"^X-Forwarded-Proto must be http or https"):
        PublicAddress(None, LOOPBACK).of(request)


def _underscored(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in headers.items()}


def test_the_address_is_made_once_for_each_request() -> None:
    """A list of files names it in each of them."""
    with patch.object(PublicAddress, "_forwarded", side_effect=["http://a", "http://b"]):
        address = PublicAddress(None, ())
        one, other = request_from("192.0.2.1"), request_from("192.0.2.1")
        made = [address.of(request) for request in (one, one, other)]
    assert made == ["http://a/genai", "http://a/genai", "http://b/genai"]
