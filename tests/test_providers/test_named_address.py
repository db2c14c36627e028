import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from providers.aws.folder import parse_s3_uri
from providers.aws.target import public_bucket
from providers.named_address import check_named_addresses, named_address
from providers.status import Status
from providers.upstream import UpstreamError

CONFIGURED = URL("https://provider.test/base/v1/files")


@pytest.mark.parametrize(
    ("named", "resolved"),
    [
        ("https://provider.test/x", "https://provider.test/x"),
        ("https://provider.test:443/x", "https://provider.test/x"),
        ("https://PROVIDER.test/x?a=%2F", "https://PROVIDER.test/x?a=%2F"),
        ("/x", "https://provider.test/x"),
        ("x", "https://provider.test/base/v1/x"),
    ],
)
def test_an_address_of_the_configured_origin_is_used(named: str, resolved: str) -> None:
    url = named_address(CONFIGURED, named)
    assert str(url).lower() == resolved.lower()


@pytest.mark.parametrize(
    "named",
    [
        "http://evil.test/",
        "//evil.test/x",
        "http://provider.test/x",
        "https://provider.test:8443/x",
        "https://provider.test.evil.test/x",
        "https://provider.test@evil.test/x",
        "https://user:password@provider.test/x",
        "http://[",
        "https://provider.test:99999/",
        "x:y",
        "javascript:alert(1)",
        "/\\evil.test/x",
        "\\\\evil.test/x",
        "/\t/evil.test/x",
        " //evil.test/x",
        "///evil.test/x",
        "http:///evil.test/x",
        "http:/evil.test/x",
        "HTTP:evil.test/x",
        "https:evil.test/x",
    ],
)
def test_an_address_that_could_lead_elsewhere_is_the_upstreams_fault(named: str) -> None:
    with pytest.raises(UpstreamError) as refused:
        named_address(CONFIGURED, named)
    assert refused.value.status is Status.UNAVAILABLE
    assert "evil" not in str(refused.value)


@given(st.text())
def test_any_text_is_an_address_of_the_origin_or_refused(named: str) -> None:
    try:
        url = named_address(CONFIGURED, named)
    except UpstreamError:
        return
    assert url.host is not None
    assert (url.scheme, url.host.lower(), url.port) == ("https", "provider.test", 443)


@pytest.mark.parametrize("header", ["location", "Location", "X-Goog-Upload-URL"])
def test_headers_with_addresses_are_checked(header: str) -> None:
    check_named_addresses(CONFIGURED, {header: "/x"})
    with pytest.raises(UpstreamError):
        check_named_addresses(CONFIGURED, {header: "http://evil.test/"})


@given(st.from_regex(r"s3://[a-z0-9./@:#?%-]{1,40}", fullmatch=True))
def test_a_bucket_that_a_job_names_is_never_a_host_outside_of_aws(uri: str) -> None:
    folder = parse_s3_uri(uri)
    if folder is None:
        return
    host = public_bucket("s3.eu-west-1.amazonaws.com", folder.bucket).host
    assert host is not None
    assert host.endswith("s3.eu-west-1.amazonaws.com")
