"""Which proxy the environment names for an upstream."""

import pytest
from yarl import URL

from proxy.forward_proxies import UnusableForwardProxy, forward_proxies

PROXY = "http://proxy.example:3128"
NAMES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def proxy_for(url: str) -> URL | None:
    return forward_proxies().of(URL(url))


def test_without_a_variable_there_is_none() -> None:
    assert proxy_for("https://api.example") is None


@pytest.mark.parametrize(
    ("variable", "https", "http"),
    [
        ("HTTPS_PROXY", True, False),
        ("https_proxy", True, False),
        ("HTTP_PROXY", False, True),
        ("http_proxy", False, True),
    ],
)
def test_each_scheme_has_its_own_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, https: bool, http: bool
) -> None:
    monkeypatch.setenv(variable, PROXY)
    assert (proxy_for("https://api.example/v1") is not None) is https
    assert (proxy_for("http://api.example/v1") is not None) is http


def test_small_letters_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example")
    monkeypatch.setenv("https_proxy", PROXY)
    assert proxy_for("https://api.example") == URL(PROXY)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("proxy.example:3128", PROXY),
        (f"{PROXY}/", PROXY),
        ("http://user:p%40ss@proxy.example", "http://user:p%40ss@proxy.example"),
        ("https://proxy.example", "https://proxy.example"),
    ],
)
def test_the_address_of_a_proxy(monkeypatch: pytest.MonkeyPatch, value: str, expected: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    assert str(proxy_for("https://api.example")).rstrip("/") == expected


@pytest.mark.parametrize(
    "value", ["socks5://secret@proxy.example:1080", "http://", "http://[", ":"]
)
def test_an_unusable_address_is_named_without_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(UnusableForwardProxy) as caught:
        forward_proxies()
    assert str(caught.value) == (
        "HTTPS_PROXY: must be the address of an HTTP proxy, such as http://proxy.example:3128"
    )


@pytest.mark.parametrize(
    "url",
    ["https://localhost:8000", "https://127.0.0.1", "https://127.9.9.9:1", "https://[::1]:8443/v1"],
)
def test_this_machine_needs_no_proxy(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert proxy_for(url) is None


@pytest.mark.parametrize(
    ("no_proxy", "url", "exempt"),
    [
        ("*", "https://api.example", True),
        ("*", "https://10.0.0.1", True),
        ("api.example", "https://api.example", True),
        ("API.example", "https://api.EXAMPLE", True),
        ("api.example", "https://v1.api.example", True),
        (".api.example", "https://v1.api.example", True),
        ("*.api.example", "https://v1.api.example", True),
        ("api.example", "https://notapi.example", False),
        ("other.example, api.example", "https://api.example", True),
        ("api.example:443", "https://api.example", True),
        ("api.example:8443", "https://api.example", False),
        ("10.0.0.0/8", "https://10.1.2.3:9000", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.0.0.0/8", "https://api.example", False),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:8443", "https://10.1.2.3:8443", True),
        ("10.1.2.3:8443", "https://10.1.2.3", False),
        ("fd00::/8", "https://[fd12::1]", True),
        ("[fd12::1]", "https://[fd12::1]", True),
        ("[fd12::1]:8443", "https://[fd12::1]:8443", True),
        ("[fd12::1]:8443", "https://[fd12::1]", False),
        (f"api.example:{'9' * 5000}", "https://api.example", False),
        ("svc.cluster.local,,", "https://minio.storage.svc.cluster.local:9000", True),
    ],
)
def test_no_proxy_names_hosts_and_networks(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, exempt: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) is exempt


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example")
    assert "secret" not in repr(forward_proxies())
