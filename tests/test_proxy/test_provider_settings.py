import pytest

import proxy.kinds
from proxy.provider_settings import ProviderSettings, shown_settings
from proxy.risks import probable_mistakes
from proxy.settings import load
from proxy.settings_problems import InvalidSettings
from tests.test_proxy.kinds import kinds

BEDROCK = {"runtime_url", "region", "role_arn", "s3_uri", "s3_endpoint_url"} | {
    "min_records",
    "immediate_batches",
    "immediate_requests",
    "immediate_calls",
    "small_batches",
    "allow_headers",
}
KINDS = kinds(gemini=set(), openai={"uploads"}, bedrock=BEDROCK)
ROLE = "arn:aws:iam::123456789012:role/service/batch"


pytestmark = pytest.mark.usefixtures("no_settings")


def given(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"FERRY_{name}", value)


def problems() -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        load(KINDS)
    return list(caught.value.problems)


def bedrock(monkeypatch: pytest.MonkeyPatch, **settings: str) -> ProviderSettings:
    given(monkeypatch, **{f"PROVIDERS__BEDROCK__{name}": v for name, v in settings.items()})
    return load(KINDS).providers["bedrock"]


# --- values ----------------------------------------------------------------------------------


def test_bedrocks_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    found = bedrock(monkeypatch)
    assert (found.credentials, found.ambient, found.api_key) == ("caller", False, None)
    assert (found.min_records, found.immediate_use, found.allow_headers) == (100, "never", True)
    assert (found.immediate_requests, found.immediate_calls) == (10_000, 32)
    assert {found.runtime_url, found.region, found.role_arn, found.s3_uri} == {None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGION", "us-east-1"),
        ("REGION", "us-gov-west-1"),
        ("REGION", "ap-southeast-2"),
        ("ROLE_ARN", ROLE),
        ("ROLE_ARN", "arn:aws-us-gov:iam::123456789012:role/r"),
        ("S3_URI", "s3://bucket"),
        ("S3_URI", "s3://a.bucket-1/some/Pre_fix-!*'()./x"),
        ("IMMEDIATE_BATCHES", "always"),
        ("SMALL_BATCHES", "immediate"),
    ],
)
def test_values_that_aws_accepts_are_accepted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert getattr(bedrock(monkeypatch, **{name: value}), name.lower()) == value


def test_an_s3_uri_loses_its_trailing_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bedrock(monkeypatch, S3_URI="s3://bucket/").s3_uri == "s3://bucket"
    assert bedrock(monkeypatch, S3_URI="s3://bucket/a/b/").s3_uri == "s3://bucket/a/b"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("REGION", "us-east", "must be a region"),
        ("REGION", "us-east-1.evil.example", "must be a region"),
        ("ROLE_ARN", "arn:aws:iam::12345678901:role/r", "must be the ARN of a role"),
        ("ROLE_ARN", "arn:aws:iam::123456789012:user/r", "must be the ARN of a role"),
        ("ROLE_ARN", f"{ROLE}{'x' * 2048}", "must be the ARN of a role"),
        ("S3_URI", "bucket/prefix", "must be s3://bucket"),
        ("S3_URI", "s3://Bucket/prefix", "must be s3://bucket"),
        ("S3_URI", "s3://bu", "must be s3://bucket"),
        ("S3_URI", "s3://buck..et", "must be s3://bucket"),
        ("S3_URI", "s3://192.168.1.1/prefix", "must be s3://bucket"),
        ("S3_URI", "s3://bucket//prefix", "must be s3://bucket"),
        ("S3_URI", "s3://bucket/a//b", "must be s3://bucket"),
        ("S3_URI", "s3://bucket/a/../b", "must be s3://bucket"),
        ("S3_URI", "s3://bucket/a+b", "must be s3://bucket"),
        ("S3_URI", f"s3://bucket/{'x' * 1024}", "must be s3://bucket"),
        ("S3_ENDPOINT_URL", "minio:9000", "must be an address such as https://host/path"),
        ("RUNTIME_URL", "minio:9000", "must be an address such as https://host/path"),
        ("MIN_RECORDS", "0", "must be a whole number of at least 1"),
        ("SMALL_BATCHES", "never", "must be one of refuse, immediate"),
        ("IMMEDIATE_BATCHES", "all", "must be one of never, small, always"),
        ("IMMEDIATE_REQUESTS", "0", "must be a whole number from 1 to 100000"),
        ("IMMEDIATE_CALLS", "0", "must be a whole number from 1 to 1000"),
        ("ALLOW_HEADERS", "perhaps", "must be true or false"),
        ("CREDENTIALS", "both", "must be one of caller, ambient"),
    ],
)
def test_values_that_aws_refuses_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    given(monkeypatch, **{f"PROVIDERS__BEDROCK__{name}": value})
    [sentence] = problems()
    assert sentence.startswith(f"FERRY_PROVIDERS__BEDROCK__{name}: {problem}")


@pytest.mark.parametrize("key", ["sk own", "sk-\u00e9", "sk-\u007f"])
def test_a_key_invalid_in_a_header_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    given(monkeypatch, PROVIDERS__OPENAI__CREDENTIALS="ambient", PROVIDERS__OPENAI__API_KEY=key)
    [sentence] = problems()
    assert sentence.startswith("FERRY_PROVIDERS__OPENAI__API_KEY: must be a key")
    assert key not in sentence


# --- settings of one kind of provider ---------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "owners"),
    [
        ("GEMINI__UPLOADS", "auto", "openai has"),
        ("BEDROCK__UPLOADS", "staged", "openai has"),
        ("OPENAI__REGION", "us-east-1", "bedrock has"),
        ("OPENAI__ALLOW_HEADERS", "true", "bedrock has"),
        ("OPENAI__IMMEDIATE_BATCHES", "small", "bedrock has"),
        ("OPENAI__IMMEDIATE_BATCHES", "always", "bedrock has"),
        ("OPENAI__SMALL_BATCHES", "immediate", "bedrock has"),
        ("BEDROCK__API_KEY", "key", "gemini and openai have"),
    ],
)
def test_a_setting_that_a_kind_would_ignore_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, owners: str
) -> None:
    given(monkeypatch, **{f"PROVIDERS__{name}": value})
    assert problems() == [f"FERRY_PROVIDERS__{name}: only {owners} it"]


def test_another_provider_has_its_kinds_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, PROVIDERS__MY_VLLM__KIND="openai", PROVIDERS__MY_VLLM__UPLOADS="staged")
    assert load(KINDS).providers["my-vllm"].uploads == "staged"
    given(monkeypatch, PROVIDERS__MY_VLLM__REGION="us-east-1")
    assert problems() == ["FERRY_PROVIDERS__MY_VLLM__REGION: only bedrock has it"]


# --- batches that the proxy runs itself -------------------------------------------------------


@pytest.mark.parametrize(("earlier", "use"), [("immediate", "small"), ("refuse", "never")])
def test_the_earlier_name_is_understood(
    monkeypatch: pytest.MonkeyPatch, earlier: str, use: str
) -> None:
    found = bedrock(monkeypatch, SMALL_BATCHES=earlier)
    assert found.immediate_use == use
    shown = dict(shown_settings(found, KINDS))
    assert shown["immediate_batches"] == use
    assert "small_batches" not in shown
    setting = "FERRY_PROVIDERS__BEDROCK__IMMEDIATE_BATCHES"
    [mistake] = probable_mistakes(load(KINDS), KINDS)
    assert mistake == (
        f"FERRY_PROVIDERS__BEDROCK__SMALL_BATCHES is the earlier name of {setting}: "
        f"set {setting}={use}."
    )


def test_the_new_name_has_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bedrock(monkeypatch, IMMEDIATE_BATCHES="always").immediate_use == "always"
    assert list(probable_mistakes(load(KINDS), KINDS)) == []


def test_both_names_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, PROVIDERS__BEDROCK__SMALL_BATCHES="immediate")
    given(monkeypatch, PROVIDERS__BEDROCK__IMMEDIATE_BATCHES="small")
    assert problems() == [
        "FERRY_PROVIDERS__BEDROCK__IMMEDIATE_BATCHES: cannot be set together with "
        "FERRY_PROVIDERS__BEDROCK__SMALL_BATCHES, its earlier name"
    ]


def test_a_kind_without_a_minimum_has_no_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    any_size = kinds(gemini=set(), openai={"immediate_batches"})
    given(monkeypatch, PROVIDERS__OPENAI__IMMEDIATE_BATCHES="small")
    with pytest.raises(InvalidSettings) as caught:
        load(any_size)
    assert list(caught.value.problems) == [
        "FERRY_PROVIDERS__OPENAI__IMMEDIATE_BATCHES: cannot be small, as this kind takes batches "
        "of any size"
    ]
    given(monkeypatch, PROVIDERS__OPENAI__IMMEDIATE_BATCHES="always")
    assert load(any_size).providers["openai"].immediate_use == "always"


@pytest.mark.parametrize("kind", ["openai", "anthropic", "mistral"])
def test_all_kinds_that_answer_single_requests_can_have_all_batches_run(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    given(monkeypatch, PROVIDERS__MY_SERVER__KIND=kind)
    given(monkeypatch, PROVIDERS__MY_SERVER__IMMEDIATE_BATCHES="always")
    assert load(proxy.kinds.KINDS).providers["my-server"].immediate_use == "always"
    given(monkeypatch, PROVIDERS__MY_SERVER__IMMEDIATE_BATCHES="small")
    with pytest.raises(InvalidSettings) as caught:
        load(proxy.kinds.KINDS)
    [problem] = caught.value.problems
    assert "cannot be small" in problem


# --- ambient credentials ---------------------------------------------------------------------


def test_ambient_and_a_key_belong_together(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, PROVIDERS__OPENAI__CREDENTIALS="ambient")
    assert problems() == [
        "FERRY_PROVIDERS__OPENAI__API_KEY: must be set if "
        "FERRY_PROVIDERS__OPENAI__CREDENTIALS is ambient"
    ]
    given(monkeypatch, PROVIDERS__OPENAI__API_KEY="sk-own")
    assert load(KINDS).ambient == ("openai",)
    given(monkeypatch, PROVIDERS__OPENAI__CREDENTIALS="caller")
    assert problems() == [
        "FERRY_PROVIDERS__OPENAI__API_KEY: is used only if "
        "FERRY_PROVIDERS__OPENAI__CREDENTIALS is ambient"
    ]


def test_a_kind_with_a_credential_chain_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bedrock(monkeypatch, CREDENTIALS="ambient").ambient


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "ferry.example"])
def test_off_loopback_ambient_requires_tokens(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    given(monkeypatch, PROVIDERS__BEDROCK__CREDENTIALS="ambient", HOST=host)
    [sentence] = problems()
    assert sentence.startswith(
        "FERRY_CLIENT_TOKENS: must be set if FERRY_PROVIDERS__BEDROCK__CREDENTIALS is ambient"
    )
    given(monkeypatch, CLIENT_TOKENS="a-token-of-one-tenant")
    assert load(KINDS).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_loopback_it_does_not(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    given(monkeypatch, PROVIDERS__BEDROCK__CREDENTIALS="ambient", HOST=host)
    assert load(KINDS).client_tokens == ()
