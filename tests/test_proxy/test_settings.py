"""The values of settings, and the settings of providers."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from yarl import URL

from proxy.provider_settings import ProviderSettings
from proxy.settings import Settings, load
from tests.test_proxy.settings_loading import KINDS, PORT, problems, toml

LONG_KEY = "k" * 16
SECONDS = "must be a number of seconds above 0, such as 30"
GRACE = "must be a number of seconds of at least 0, such as 10"
HTTP_URL = "must be an address such as https://host/path"
STATE_URL = "must be file:///directory, with an absolute path, or s3://bucket/prefix"

pytestmark = pytest.mark.usefixtures("no_settings")


def test_no_setting_is_required() -> None:
    settings = load(KINDS)
    assert (settings.host, settings.port, settings.admin_port) == ("127.0.0.1", 8080, None)
    assert settings.secret_key is None
    assert settings.public_url is None
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.0/8", "::1/128"]
    assert settings.state_url == "file:///home/me/state/genai-ferry"
    assert settings.state_ttl == timedelta(days=30)
    assert settings.upload_ttl == timedelta(hours=24)
    assert settings.default_provider == "gemini"
    assert (settings.admin_host, settings.admin_address) == (None, None)
    assert settings.workers == 1
    assert (settings.drain_seconds, settings.drain_grace_seconds) == (30, 0)
    assert (settings.header_seconds, settings.idle_seconds, settings.stall_seconds) == (20, 75, 60)
    assert (settings.max_connections, settings.max_connections_per_peer) == (5_000, 1_000)
    assert settings.max_uploads == 1024
    assert (settings.call_seconds, settings.answer_seconds) == (60, 600)
    assert settings.inline_max_bytes == 20 << 20
    assert settings.inline_result_bytes == 64 << 20
    assert settings.max_line_bytes == 32 << 20
    assert settings.providers == {
        "gemini": ProviderSettings(kind="gemini"),
        "openai": ProviderSettings(kind="openai"),
    }


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("FERRY_HOST", "0.0.0.0", "host", "0.0.0.0"),
        ("FERRY_PORT", "0", "port", 0),
        ("ferry_port", "81", "port", 81),
        ("FERRY_PORT", "", "port", 8080),
        ("FERRY_ADMIN_PORT", "9000", "admin_port", 9000),
        ("FERRY_ADMIN_PORT", "9000", "admin_address", ("127.0.0.1", 9000)),
        ("FERRY_TLS_CERT", "", "tls_files", None),
        ("FERRY_PUBLIC_URL", "https://h/x/", "public_url", URL("https://h/x")),
        ("FERRY_STATE_URL", "file:///var/a%20b", "state_directory", Path("/var/a b")),
        ("FERRY_STATE_URL", "s3://a.bucket/some/prefix/", "state_url", "s3://a.bucket/some/prefix"),
        ("FERRY_STATE_TTL", "90s", "state_ttl", timedelta(seconds=90)),
        ("FERRY_UPLOAD_TTL", "15m", "upload_ttl", timedelta(minutes=15)),
        ("FERRY_DEFAULT_PROVIDER", "OpenAI", "default_provider", "openai"),
        ("FERRY_WORKERS", "4", "workers", 4),
        ("FERRY_HEADER_SECONDS", "0.5", "header_seconds", 0.5),
        ("FERRY_IDLE_SECONDS", "0.5", "idle_seconds", 0.5),
        ("FERRY_STALL_SECONDS", "0.5", "stall_seconds", 0.5),
        ("FERRY_MAX_CONNECTIONS", "1", "max_connections", 1),
        ("FERRY_MAX_CONNECTIONS_PER_PEER", "1", "max_connections_per_peer", 1),
        ("FERRY_MAX_UPLOADS", "1", "max_uploads", 1),
        ("FERRY_STATE_BYTES", "1", "state_bytes", 1),
        ("FERRY_TENANT_STATE_BYTES", "1", "tenant_state_bytes", 1),
        ("FERRY_TENANT_UPLOADS", "1", "tenant_uploads", 1),
        ("FERRY_CALL_SECONDS", "0.5", "call_seconds", 0.5),
        ("FERRY_ANSWER_SECONDS", "3600", "answer_seconds", 3600),
        ("FERRY_DRAIN_SECONDS", "0.5", "drain_seconds", 0.5),
        ("FERRY_DRAIN_GRACE_SECONDS", "0", "drain_grace_seconds", 0),
        ("FERRY_DRAIN_GRACE_SECONDS", "2.5", "drain_grace_seconds", 2.5),
        ("FERRY_MAX_LINE_BYTES", "1", "max_line_bytes", 1),
        ("FERRY_ALLOW_PLAINTEXT_AWS_KEYS", "true", "allow_plaintext_aws_keys", True),
        ("FERRY_CORS_ORIGINS", "", "cors_origins", ()),
        ("FERRY_CORS_ORIGINS", " * ", "cors_origins", ("*",)),
        (
            "FERRY_CORS_ORIGINS",
            "HTTPS://App.example:443, http://a:80,http://b:443,https://[::1]:8443",
            "cors_origins",
            ("https://app.example", "http://a", "http://b:443", "https://[::1]:8443"),
        ),
        ("FERRY_CORS_ORIGINS", "tauri://localhost", "cors_origins", ("tauri://localhost",)),
    ],
)
def test_a_variable_sets_its_field(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: object
) -> None:
    monkeypatch.setenv(variable, value)
    assert getattr(load(KINDS), field) == expected


@pytest.mark.parametrize(
    "value",
    [
        "*,https://a.example",
        "null",
        "a.example",
        "//a.example",
        "https://",
        "https://a.example/",
        "https://a.example/path",
        "https://a.example?query",
        "https://*.example",
        "https://user@a.example",
        "https://a.example:x",
        "https://a.example:123456",
        "https://b\u00fccher.example",
        "https://a.example https://b.example",
    ],
)
def test_an_invalid_origin_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FERRY_CORS_ORIGINS", value)
    (problem,) = problems()
    assert problem.startswith("FERRY_CORS_ORIGINS: must be * alone, or a comma-separated list")


@pytest.mark.parametrize(
    ("origins", "tokens", "refused"),
    [
        ("*", "", True),
        ("https://a.example", "", False),
        ("*", f"{LONG_KEY}1", False),
    ],
)
def test_no_web_page_may_use_the_proxys_own_credential(
    monkeypatch: pytest.MonkeyPatch, origins: str, tokens: str, refused: bool
) -> None:
    monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__CREDENTIALS", "ambient")
    monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__API_KEY", f"sk-{LONG_KEY}")
    monkeypatch.setenv("FERRY_CORS_ORIGINS", origins)
    monkeypatch.setenv("FERRY_CLIENT_TOKENS", tokens)
    if not refused:
        assert load(KINDS).cors_origins == (origins,)
        return
    (problem,) = problems()
    assert problem.startswith(
        "FERRY_CORS_ORIGINS: cannot be * if FERRY_PROVIDERS__OPENAI__CREDENTIALS is ambient "
        "and FERRY_CLIENT_TOKENS is not set"
    )


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8,")
    monkeypatch.setenv("FERRY_SECRET_KEY", f"new-{LONG_KEY}, old-{LONG_KEY}")
    settings = load(KINDS)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]
    assert settings.secret_key is not None
    keys = [key.get_secret_value() for key in settings.secret_key]
    assert keys == [f"new-{LONG_KEY}", f"old-{LONG_KEY}"]


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_SECRET_KEY", LONG_KEY)
    monkeypatch.setenv("FERRY_CLIENT_TOKENS", f"{LONG_KEY}1,acme={LONG_KEY}2")
    monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__CREDENTIALS", "ambient")
    monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__API_KEY", f"sk-{LONG_KEY}")
    settings = load(KINDS)
    assert [(t.name, t.secret.get_secret_value()) for t in settings.client_tokens] == [
        ("", f"{LONG_KEY}1"),
        ("acme", f"{LONG_KEY}2"),
    ]
    assert LONG_KEY not in repr(settings)
    assert LONG_KEY not in str(settings)
    assert LONG_KEY not in settings.model_dump_json(exclude={"public_url", "providers"})


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        *(("FERRY_PORT", bad, PORT) for bad in ("80a", "1.5", "70000", "-1", "9" * 5000)),
        ("FERRY_ADMIN_PORT", "admin", PORT),
        ("FERRY_WORKERS", "0", "must be a whole number from 1 to 256"),
        *(("FERRY_DRAIN_SECONDS", bad, SECONDS) for bad in ("0", "-1", "30s", "inf", "nan")),
        *(("FERRY_DRAIN_GRACE_SECONDS", bad, GRACE) for bad in ("-1", "10s", "inf", "nan")),
        (
            "FERRY_INLINE_MAX_BYTES",
            "20MiB",
            "must be a whole number of bytes from 1 to 134217728",
        ),
        ("FERRY_INLINE_RESULT_BYTES", "0", "must be a whole number of bytes of at least 1"),
        ("FERRY_MAX_LINE_BYTES", "x", "must be a whole number of bytes from 1 to 37748736"),
        ("FERRY_ALLOW_PLAINTEXT_AWS_KEYS", "ture", "must be true or false"),
        ("FERRY_STATE_TTL", "30", "must be a duration such as 30d, 24h, 15m or 90s"),
        ("FERRY_UPLOAD_TTL", "0h", "must be a duration such as 30d, 24h, 15m or 90s"),
        ("FERRY_STATE_TTL", "36501d", "must be at most 36500d"),
        ("FERRY_UPLOAD_TTL", "999999999d", "must be at most 36500d"),
        ("FERRY_TLS_CERT", "/a\nb", "must be the path of a file, without control characters"),
        ("FERRY_SECRET_KEY", f"{LONG_KEY},short", "each key must have at least 16 characters"),
        ("FERRY_SECRET_KEY", "\udcff" * 16, "each key must be UTF-8 text"),
        ("FERRY_TRUSTED_PROXIES", "10.1.2.3/8", "must be a comma-separated list of networks"),
        ("FERRY_PUBLIC_URL", "h:80", "must be an address such as https://host/path"),
        ("FERRY_PUBLIC_URL", "http://a b/", "must be an address such as https://host/path"),
        ("FERRY_PUBLIC_URL", "http://a/%00", "must be an address such as https://host/path"),
        ("FERRY_PUBLIC_URL", "http://[", "must be an address such as https://host/path"),
        ("FERRY_PUBLIC_URL", "https://h/?q=1", "must be an address such as https://host/path"),
        ("FERRY_PUBLIC_URL", "https://u:pw@h", "must not contain a user name or a password"),
        ("FERRY_STATE_URL", "s3://bucket", STATE_URL),
        ("FERRY_STATE_URL", "s3://bucket/", STATE_URL),
        ("FERRY_STATE_URL", "s3://Bucket/x", STATE_URL),
        ("FERRY_STATE_URL", "s3://bucket/a/../b", STATE_URL),
        ("FERRY_STATE_URL", "s3://key:secret@bucket/x", STATE_URL),
        ("FERRY_STATE_S3_ENDPOINT_URL", "minio:9000", HTTP_URL),
        ("FERRY_STATE_URL", "state", STATE_URL),
        ("FERRY_STATE_URL", "file://host/x", STATE_URL),
        ("FERRY_STATE_URL", "file:///a%00b", STATE_URL),
        ("FERRY_STATE_URL", "http://[", STATE_URL),
        ("FERRY_DEFAULT_PROVIDER", "acme", "must be one of gemini, openai"),
        (
            "FERRY_DEFAULT_PROVIDER",
            "opnai",
            "must be one of gemini, openai; did you mean openai?",
        ),
        ("FERRY_CLIENT_TOKENS", "short one", "each token must be visible ASCII characters"),
        ("FERRY_CLIENT_TOKENS", "short\u00e9", "each token must be visible ASCII characters"),
        ("FERRY_CLIENT_TOKENS", "short,b,short", "each token must be unique"),
        ("FERRY_CLIENT_TOKENS", "a=short,b=short", "each token must be unique"),
        ("FERRY_CLIENT_TOKENS", "a=short,short", "each token must be unique"),
        ("FERRY_CLIENT_TOKENS", "a.b=short", "in name=token, a client's name may contain only"),
        ("FERRY_CLIENT_TOKENS", "=short", "in name=token, a client's name may contain only"),
    ],
)
def test_a_bad_value_gets_one_sentence_without_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)
    [sentence] = problems()
    assert sentence.startswith(f"{variable}: {problem}")
    assert "short" not in sentence
    assert "u:pw" not in sentence
    assert "key:secret" not in sentence


def test_only_a_bucket_has_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_STATE_S3_ENDPOINT_URL", "http://localhost:9000/")
    assert problems() == ["FERRY_STATE_S3_ENDPOINT_URL: is used only if FERRY_STATE_URL is s3://"]
    monkeypatch.setenv("FERRY_STATE_URL", "s3://bucket/prefix")
    assert load(KINDS).state_s3_endpoint_url == URL("http://localhost:9000")


@pytest.mark.parametrize(
    ("host", "admin_host", "admin_port", "refused"),
    [
        ("127.0.0.1", "", "8080", True),
        ("127.0.0.1", "0.0.0.0", "8080", True),
        ("::", "127.0.0.1", "8080", True),
        ("127.0.0.1", "10.0.0.1", "8080", False),
        ("127.0.0.1", "", "8081", False),
    ],
)
def test_the_two_addresses_must_differ(
    monkeypatch: pytest.MonkeyPatch, host: str, admin_host: str, admin_port: str, refused: bool
) -> None:
    monkeypatch.setenv("FERRY_HOST", host)
    monkeypatch.setenv("FERRY_ADMIN_HOST", admin_host)
    monkeypatch.setenv("FERRY_ADMIN_PORT", admin_port)
    if refused:
        assert problems() == ["FERRY_ADMIN_PORT: must differ from FERRY_PORT"]
    else:
        assert load(KINDS).admin_address == (admin_host or host, int(admin_port))


def test_two_ports_that_the_system_chooses_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_PORT", "0")
    monkeypatch.setenv("FERRY_ADMIN_PORT", "0")
    assert load(KINDS).admin_address == ("127.0.0.1", 0)


def test_certificate_and_key_are_set_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_TLS_KEY", "/tls.key")
    assert problems() == ["FERRY_TLS_KEY: must be set together with FERRY_TLS_CERT"]
    monkeypatch.setenv("FERRY_TLS_CERT", "/tls.crt")
    assert load(KINDS).tls_files == (Path("/tls.crt"), Path("/tls.key"))
    monkeypatch.delenv("FERRY_TLS_KEY")
    assert problems() == ["FERRY_TLS_CERT: must be set together with FERRY_TLS_KEY"]


def test_every_problem_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_PORT", "x")
    monkeypatch.setenv("FERRY_STATE_TTL", "x")
    monkeypatch.setenv("FERRY_HOTS", "x")
    assert len(problems()) == 3


def test_without_a_home_directory_the_state_url_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")

    def no_home(_: object) -> Path:
        raise RuntimeError("no home directory")

    monkeypatch.setattr("proxy.setting_values.Path.home", classmethod(no_home))
    [sentence] = problems()
    assert sentence.startswith("FERRY_STATE_URL: ")
    monkeypatch.setenv("FERRY_STATE_URL", "file:///state")
    assert load(KINDS).state_directory == Path("/state")


# --- providers -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MY_VLLM", "my_vllm", "My-Vllm"])
def test_names_match_without_case_and_dashes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"FERRY_PROVIDERS__{name}__KIND", "openai")
    monkeypatch.setenv("FERRY_DEFAULT_PROVIDER", "MY-vllm")
    settings = load(KINDS)
    assert settings.default_provider == "my-vllm"
    assert settings.providers["my-vllm"].kind == "openai"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("FERRY_PROVIDERS__OPENIA__API_KEY", "; did you mean FERRY_PROVIDERS__OPENAI?"),
        ("FERRY_PROVIDERS__ACME__API_KEY", ""),
    ],
)
def test_the_error_for_a_misspelt_provider_has_a_hint(
    monkeypatch: pytest.MonkeyPatch, variable: str, hint: str
) -> None:
    monkeypatch.setenv(variable, "sk-x")
    [sentence] = problems()
    name = variable.removesuffix("API_KEY") + "KIND"
    assert sentence == f"{name}: must be one of gemini, openai{hint}"


def test_a_base_url_loses_its_trailing_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRY_PROVIDERS__OPENAI__BASE_URL", "http://127.0.0.1:9/v1/")
    assert load(KINDS).providers["openai"].base_url == URL("http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("FERRY_PROVIDERS__ACME__UPLOADS", "auto", "must be one of gemini, openai"),
        ("FERRY_PROVIDERS__ACME__KIND", "acme", "must be one of gemini, openai"),
        ("FERRY_PROVIDERS__OPENAI__KIND", "gemini", "openai always has the kind openai"),
    ],
)
def test_another_name_needs_a_known_kind(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)
    [sentence] = problems()
    name = variable.split("__")[1]
    assert sentence.startswith(f"FERRY_PROVIDERS__{name}__KIND: {problem}")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("FERRY_PROVIDERS__OPENAI", "x", "must be a table of settings"),
        ("FERRY_PROVIDERS__OPENAI__UPLOADS", "always", "must be one of auto, staged"),
        (
            "FERRY_PROVIDERS__OPENAI__CREDENTIALS",
            "Abient",
            "must be one of caller, ambient; did you mean ambient?",
        ),
        (
            "FERRY_PROVIDERS__ACME__KIND",
            "opneai",
            "must be one of gemini, openai; did you mean openai?",
        ),
        (
            "FERRY_PROVIDERS__OPENAI__DEFAULT_MAX_TOKENS",
            "0",
            "must be a whole number of at least 1",
        ),
        ("FERRY_PROVIDERS__OPENAI__ALLOW_HEADERS", "maybe", "must be true or false"),
        ("FERRY_PROVIDERS__OPENAI__PROMPT_CACHE", "2h", "must be one of off, 5m, 1h"),
        ("FERRY_PROVIDERS__OPENAI__BASE_URL", "ftp://h", "must be an address such as https://"),
    ],
)
def test_a_bad_provider_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)
    [sentence] = problems()
    assert sentence.startswith(f"{variable}: {problem}")


def test_a_provider_name_is_checked(tmp_path: Path) -> None:
    [sentence] = problems(toml(tmp_path, '[providers."a b"]\nkind = "openai"'))
    assert sentence.endswith("a provider's name may contain only letters, digits, - and _")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
