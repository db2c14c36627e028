import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from yarl import URL

from proxy.environment import injected_variables
from proxy.provider_settings import ProviderSettings
from proxy.settings import Settings, load
from proxy.settings_problems import InvalidSettings
from tests.test_proxy.kinds import kinds

KINDS = kinds(gemini=set(), openai={"uploads"})
LONG_KEY = "k" * 16
_PROVIDER_FIELDS = tuple(ProviderSettings.model_fields)
PORT = "must be a whole number from 0 to 65535"
SECONDS = "must be a number of seconds above 0, such as 30"
HTTP_URL = "must be an address such as https://host/path"
STATE_URL = "must be file:///directory, with an absolute path, or s3://bucket/prefix"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FERRY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/me/state")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def problems(config: Path | None = None) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        load(KINDS, config)
    return list(caught.value.problems)


def toml(directory: Path, text: str) -> Path:
    path = directory / "ferry.toml"
    path.write_text(text)
    return path


# --- values ----------------------------------------------------------------------------------


def test_nothing_needs_to_be_set() -> None:
    settings = load(KINDS)
    assert (settings.host, settings.port, settings.admin_port) == ("127.0.0.1", 8080, None)
    assert settings.secret_key is None
    assert settings.public_url is None
    assert [str(network) for network in settings.trusted_proxies] == ["127.0.0.0/8", "::1/128"]
    assert settings.state_url == "file:///home/me/state/genai-ferry"
    assert settings.state_ttl == timedelta(days=30)
    assert settings.upload_ttl == timedelta(hours=24)
    assert settings.default_provider == "gemini"
    assert (settings.workers, settings.drain_seconds) == (1, 30)
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
        ("FERRY_PUBLIC_URL", "https://h/x/", "public_url", URL("https://h/x")),
        ("FERRY_STATE_URL", "file:///var/a%20b", "state_directory", Path("/var/a b")),
        ("FERRY_STATE_URL", "s3://a.bucket/some/prefix/", "state_url", "s3://a.bucket/some/prefix"),
        ("FERRY_STATE_TTL", "90s", "state_ttl", timedelta(seconds=90)),
        ("FERRY_UPLOAD_TTL", "15m", "upload_ttl", timedelta(minutes=15)),
        ("FERRY_DEFAULT_PROVIDER", "OpenAI", "default_provider", "openai"),
        ("FERRY_WORKERS", "4", "workers", 4),
        ("FERRY_DRAIN_SECONDS", "0.5", "drain_seconds", 0.5),
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
    given: pytest.MonkeyPatch, variable: str, value: str, field: str, expected: object
) -> None:
    given.setenv(variable, value)
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
def test_what_is_no_origin_is_refused(given: pytest.MonkeyPatch, value: str) -> None:
    given.setenv("FERRY_CORS_ORIGINS", value)
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
def test_no_web_page_may_spend_the_proxys_own_credential(
    given: pytest.MonkeyPatch, origins: str, tokens: str, refused: bool
) -> None:
    given.setenv("FERRY_PROVIDERS__OPENAI__CREDENTIALS", "ambient")
    given.setenv("FERRY_PROVIDERS__OPENAI__API_KEY", f"sk-{LONG_KEY}")
    given.setenv("FERRY_CORS_ORIGINS", origins)
    given.setenv("FERRY_CLIENT_TOKENS", tokens)
    if not refused:
        assert load(KINDS).cors_origins == (origins,)
        return
    (problem,) = problems()
    assert problem.startswith(
        "FERRY_CORS_ORIGINS: cannot be * if FERRY_PROVIDERS__OPENAI__CREDENTIALS is ambient "
        "and FERRY_CLIENT_TOKENS is not set"
    )


def test_lists_are_separated_by_commas(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8,")
    given.setenv("FERRY_SECRET_KEY", f"new-{LONG_KEY}, old-{LONG_KEY}")
    settings = load(KINDS)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "fd00::/8"]
    assert settings.secret_key is not None
    keys = [key.get_secret_value() for key in settings.secret_key]
    assert keys == [f"new-{LONG_KEY}", f"old-{LONG_KEY}"]


def test_no_secret_shows(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_SECRET_KEY", LONG_KEY)
    given.setenv("FERRY_CLIENT_TOKENS", f"{LONG_KEY}1,{LONG_KEY}2")
    given.setenv("FERRY_PROVIDERS__OPENAI__CREDENTIALS", "ambient")
    given.setenv("FERRY_PROVIDERS__OPENAI__API_KEY", f"sk-{LONG_KEY}")
    settings = load(KINDS)
    assert [t.get_secret_value() for t in settings.client_tokens] == [
        f"{LONG_KEY}1",
        f"{LONG_KEY}2",
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
        ("FERRY_SECRET_KEY", f"{LONG_KEY},short", "each key must have at least 16 characters"),
        ("FERRY_SECRET_KEY", "\udcff" * 16, "each key must be UTF-8 text"),
        ("FERRY_TRUSTED_PROXIES", "10.1.2.3/8", "must be a comma-separated list of networks"),
        ("FERRY_PUBLIC_URL", "h:80", "must be an address such as https://host/path"),
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
    ],
)
def test_a_bad_value_gets_one_sentence_without_it(
    given: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    given.setenv(variable, value)
    [sentence] = problems()
    assert sentence.startswith(f"{variable}: {problem}")
    assert "short" not in sentence
    assert "u:pw" not in sentence
    assert "key:secret" not in sentence


def test_only_a_bucket_has_an_endpoint(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_STATE_S3_ENDPOINT_URL", "http://localhost:9000/")
    assert problems() == ["FERRY_STATE_S3_ENDPOINT_URL: is used only if FERRY_STATE_URL is s3://"]
    given.setenv("FERRY_STATE_URL", "s3://bucket/prefix")
    assert load(KINDS).state_s3_endpoint_url == URL("http://localhost:9000")


def test_every_problem_is_told_at_once(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_PORT", "x")
    given.setenv("FERRY_STATE_TTL", "x")
    given.setenv("FERRY_HOTS", "x")
    assert len(problems()) == 3


def test_without_a_home_the_state_must_be_given(given: pytest.MonkeyPatch) -> None:
    given.delenv("XDG_STATE_HOME")

    def no_home(_: object) -> Path:
        raise RuntimeError("no home directory")

    given.setattr("proxy.setting_values.Path.home", classmethod(no_home))
    [sentence] = problems()
    assert sentence.startswith("FERRY_STATE_URL: ")
    given.setenv("FERRY_STATE_URL", "file:///state")
    assert load(KINDS).state_directory == Path("/state")


# --- what is not a setting -------------------------------------------------------------------


@pytest.mark.parametrize(
    "variable",
    [
        "FERRY_PROVIDERS",
        "FERRY_PORT__OTHER",
        "FERRY_PROVIDERS__OPENAI__SECRET",
    ],
)
def test_what_is_not_available_is_refused(given: pytest.MonkeyPatch, variable: str) -> None:
    given.setenv(variable, "sk-secret")
    assert problems() == [f"{variable} is not a setting"]


def test_a_misspelt_variable_is_recognised(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_UPLOAD_TLT", "1h")
    assert problems() == ["FERRY_UPLOAD_TLT is not a setting; did you mean FERRY_UPLOAD_TTL?"]


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("FERRY_HOTS", "FERRY_HOST"),
        ("FERRY_CONFG", "FERRY_CONFIG"),
        ("FERRY_PROVIDERS__OPENAI__BASEURL", "FERRY_PROVIDERS__OPENAI__BASE_URL"),
        ("FERRY_PROVIDERS__MY_VLLM__APIKEY", "FERRY_PROVIDERS__MY_VLLM__API_KEY"),
        ("FERRY_PROVIDERS_OPENAI_BASE_URL", "FERRY_PROVIDERS__OPENAI__BASE_URL"),
        ("FERRY_PROVIDERS__OPENAI_BASE_URL", "FERRY_PROVIDERS__OPENAI__BASE_URL"),
    ],
)
def test_a_nested_name_gets_a_hint_too(
    given: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    given.setenv(variable, "http://secret")
    assert problems() == [f"{variable} is not a setting; did you mean {meant}?"]


@pytest.mark.parametrize("name", ["ferry_port", "FERRY_port"])
def test_a_variable_in_two_spellings_is_refused(given: pytest.MonkeyPatch, name: str) -> None:
    given.setenv("FERRY_PORT", "1")
    given.setenv(name, "2")
    assert problems() == [f"FERRY_PORT and {name} are the same setting; give only one of them"]


def test_one_provider_may_be_spelled_in_two_ways(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_PROVIDERS__MY_VLLM__KIND", "openai")
    given.setenv("FERRY_PROVIDERS__my-vllm__UPLOADS", "staged")
    expected = ProviderSettings(kind="openai", uploads="staged")
    assert load(KINDS).providers["my-vllm"] == expected
    given.setenv("FERRY_PROVIDERS__my-vllm__KIND", "openai")
    assert problems() == [
        "FERRY_PROVIDERS__MY_VLLM__KIND and FERRY_PROVIDERS__my-vllm__KIND are the same setting; "
        "give only one of them"
    ]


# --- what Kubernetes injects -----------------------------------------------------------------

INJECTED = {
    "FERRY_PORT": "tcp://10.0.0.1:8080",
    "FERRY_SERVICE_HOST": "10.0.0.1",
    "FERRY_SERVICE_PORT": "8080",
    "FERRY_SERVICE_PORT_HTTP": "8080",
    "FERRY_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    "FERRY_PORT_8080_TCP_PROTO": "tcp",
    "FERRY_PORT_8080_TCP_PORT": "8080",
    "FERRY_PORT_8080_TCP_ADDR": "10.0.0.1",
    "FERRY_PORT_53_UDP_ADDR": "10.0.0.1",
    "FERRY_PORT_99_SCTP": "sctp://10.0.0.1:99",
    "FERRY_ADMIN_PORT": "tcp://10.0.0.2:80",
    "FERRY_ADMIN_SERVICE_HOST": "10.0.0.2",
    "FERRY_ADMIN_SERVICE_PORT": "80",
    "FERRY_ADMIN_PORT_80_TCP_ADDR": "10.0.0.2",
    "FERRY_DNS_PORT": "udp://10.0.0.3:53",
}


def test_what_kubernetes_injects_is_ignored(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in INJECTED.items():
        given.setenv(name, value)
    assert (load(KINDS).port, load(KINDS).admin_port) == (8080, None)
    assert load(KINDS, toml(tmp_path, "port = 5")).port == 5
    assert injected_variables() == sorted(INJECTED)


@pytest.mark.parametrize(
    "variable",
    [*Settings.model_fields, *(f"providers__a_service_port__{f}" for f in _PROVIDER_FIELDS)],
)
def test_no_setting_is_taken_for_injected(given: pytest.MonkeyPatch, variable: str) -> None:
    given.setenv(f"FERRY_{variable.upper()}", "8080")
    assert injected_variables() == []


@pytest.mark.parametrize(
    "variable",
    ["FERRY_SERVICE", "FERRY_SERVICE_HOSTS", "FERRY_PORT_TCP", "FERRY_PORT_X_TCP"],
)
def test_what_only_looks_injected_is_still_refused(
    given: pytest.MonkeyPatch, variable: str
) -> None:
    given.setenv(variable, "8080")
    [sentence] = problems()
    assert sentence.startswith(f"{variable} is not a setting")


def test_an_address_of_a_provider_is_not_ignored(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_PROVIDERS__OPENAI__BASE_URL", "tcp://10.0.0.1:8080")
    [sentence] = problems()
    assert sentence.startswith("FERRY_PROVIDERS__OPENAI__BASE_URL: must be an address")


# --- the file --------------------------------------------------------------------------------


def test_the_environment_has_the_last_word(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given.setenv("FERRY_PORT", "1")
    given.setenv("FERRY_PROVIDERS__MY_VLLM__UPLOADS", "staged")
    config = toml(
        tmp_path,
        """
        port = 2
        workers = 3
        trusted_proxies = ["10.0.0.0/8"]
        [providers.My-VLLM]
        kind = "openai"
        uploads = "auto"
        base_url = "http://vllm/v1"
        """,
    )
    settings = load(KINDS, config)
    assert (settings.port, settings.workers) == (1, 3)
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8"]
    assert settings.providers["my-vllm"] == ProviderSettings(
        kind="openai", uploads="staged", base_url=URL("http://vllm/v1")
    )


def test_a_variable_may_name_the_file(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given.setenv("FERRY_CONFIG", str(toml(tmp_path, "port = 5")))
    assert load(KINDS).port == 5
    (tmp_path / "other").mkdir()
    assert load(KINDS, toml(tmp_path / "other", "port = 6")).port == 6


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert load(KINDS, toml(tmp_path, "\ufeffport = 5")).port == 5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("host = 'h'\nport = ", "line 2, column 8: not TOML: invalid value"),
        ("port = 1\n\n x y", "line 3, column 4: not TOML: expected '=' after a key"),
        ("[", "line 1, column 2: not TOML: "),
        ("port = 1\r\nport = 2", "line 2, column 9: not TOML: cannot overwrite a value"),
        ("port = 1\n\udcff", "line 2: the file is not UTF-8"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    [sentence] = problems(path)
    assert sentence.startswith(f"{path}, {problem}")


def test_a_problem_in_the_file_has_its_line(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = toml(
        tmp_path,
        """# settings
trusted_proxies = [
    "10.1.2.3/8",
]
upload_tlt = '1h'
workers = 0

[providers.My-VLLM]
kind = "openai"
baseurl = "http://vllm/v1"
region = "us-east-1"
""",
    )
    given.setenv("FERRY_WORKERS", "0")
    expected = [
        "FERRY_WORKERS: must be a whole number from 1 to 256",
        f"{path}, line 2: trusted_proxies: must be a comma-separated list of networks",
        f"{path}, line 5: upload_tlt is not a setting; did you mean upload_ttl?",
        f"{path}, line 10: providers.my-vllm.baseurl is not a setting; "
        "did you mean providers.my-vllm.base_url?",
    ]
    found = problems(path)
    assert len(found) == len(expected)
    for start in expected:
        assert [sentence.startswith(start) for sentence in found].count(True) == 1


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("host = 5", "host: must be text"),
        ("default_provider = 5", "default_provider: must be text"),
        ("port = []", f"port: {PORT}"),
        ("port = true", f"port: {PORT}"),
        ("allow_plaintext_aws_keys = 2", "allow_plaintext_aws_keys: must be true or false"),
        ("state_ttl = 5", "state_ttl: must be a duration such as 30d, 24h, 15m or 90s"),
    ],
)
def test_a_value_of_another_type_in_the_file(tmp_path: Path, line: str, problem: str) -> None:
    path = toml(tmp_path, line)
    assert problems(path) == [f"{path}, line 1: {problem}"]


def test_a_setting_of_another_kind_in_the_file_has_its_line(tmp_path: Path) -> None:
    path = toml(tmp_path, "[providers.gemini]\n\nuploads = 'staged'")
    assert problems(path) == [f"{path}, line 3: providers.gemini.uploads: only openai has it"]


def test_a_provider_in_the_file_has_one_name(tmp_path: Path) -> None:
    path = toml(
        tmp_path, "[providers.my-vllm]\nkind = 'openai'\n[providers.my_vllm]\nuploads = 'staged'"
    )
    assert problems(path) == [
        f"{path}, line 1: providers.my-vllm: my-vllm and my_vllm are the same name; "
        "give the provider only once"
    ]


def test_a_file_that_nests_too_deeply_is_refused(tmp_path: Path) -> None:
    path = toml(tmp_path, f"port = {'[' * 100_000}")
    assert problems(path) == [f"{path}: the file is nested too deeply"]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert problems(path) == [f"cannot read {path}: No such file or directory"]


# --- providers -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MY_VLLM", "my_vllm", "My-Vllm"])
def test_names_match_without_case_and_dashes(given: pytest.MonkeyPatch, name: str) -> None:
    given.setenv(f"FERRY_PROVIDERS__{name}__KIND", "openai")
    given.setenv("FERRY_DEFAULT_PROVIDER", "MY-vllm")
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
def test_a_misspelt_provider_is_told_which_was_probably_meant(
    given: pytest.MonkeyPatch, variable: str, hint: str
) -> None:
    given.setenv(variable, "sk-x")
    [sentence] = problems()
    name = variable.removesuffix("API_KEY") + "KIND"
    assert sentence == f"{name}: must be one of gemini, openai{hint}"


def test_a_base_url_loses_its_last_slash(given: pytest.MonkeyPatch) -> None:
    given.setenv("FERRY_PROVIDERS__OPENAI__BASE_URL", "http://127.0.0.1:9/v1/")
    assert load(KINDS).providers["openai"].base_url == URL("http://127.0.0.1:9/v1")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("FERRY_PROVIDERS__ACME__UPLOADS", "auto", "must be one of gemini, openai"),
        ("FERRY_PROVIDERS__ACME__KIND", "acme", "must be one of gemini, openai"),
        ("FERRY_PROVIDERS__OPENAI__KIND", "gemini", "openai always has the kind openai"),
    ],
)
def test_a_further_name_needs_a_kind_that_exists(
    given: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    given.setenv(variable, value)
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
        ("FERRY_PROVIDERS__OPENAI__BASE_URL", "ftp://h", "must be an address such as https://"),
    ],
)
def test_a_bad_provider_setting_is_named(
    given: pytest.MonkeyPatch, variable: str, value: str, problem: str
) -> None:
    given.setenv(variable, value)
    [sentence] = problems()
    assert sentence.startswith(f"{variable}: {problem}")


def test_a_provider_name_is_a_word(tmp_path: Path) -> None:
    [sentence] = problems(toml(tmp_path, '[providers."a b"]\nkind = "openai"'))
    assert sentence.endswith("a provider's name may contain only letters, digits, - and _")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
