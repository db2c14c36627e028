"""The TOML file with settings."""

from pathlib import Path

import pytest
from yarl import URL

from proxy.provider_settings import ProviderSettings
from proxy.settings import load
from tests.test_proxy.settings_loading import KINDS, PORT, problems, toml

pytestmark = pytest.mark.usefixtures("no_settings")


def test_the_environment_takes_precedence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_PORT", "1")
    monkeypatch.setenv("FERRY_PROVIDERS__MY_VLLM__UPLOADS", "staged")
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


def test_a_variable_can_name_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FERRY_CONFIG", str(toml(tmp_path, "port = 5")))
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


def test_a_problem_in_the_file_has_its_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
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
    monkeypatch.setenv("FERRY_WORKERS", "0")
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


def test_a_name_with_control_characters_stays_on_one_line(tmp_path: Path) -> None:
    path = toml(tmp_path, '"a\\n\\u001b[31mb" = 1')
    assert problems(path) == [f"{path}, line 1: a\\n\\x1b[31mb is not a setting"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("upstream_ca_bundle", "must be the path of a file, without control characters"),
        ("public_url", "must be an address such as https://host/path, without query or fragment"),
    ],
)
def test_a_path_or_an_address_has_no_control_character(
    tmp_path: Path, line: str, problem: str
) -> None:
    path = toml(tmp_path, f'{line} = "http://a\\u0000b/"')
    assert problems(path) == [f"{path}, line 1: {line}: {problem}"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("portt", "port"),
        ("FERRY_PORT", "port"),
        ("Port", "port"),
        ("provider", "providers"),
        ("FERRY_PROVIDERS__OPENAI__API_KEY", "providers.openai.api_key"),
        ("providers.openai.API_KEY", "providers.openai.api_key"),
        ("providers.openai.FERRY_API_KEY", "providers.openai.api_key"),
    ],
)
def test_a_name_that_is_no_setting_gets_a_hint(tmp_path: Path, name: str, meant: str) -> None:
    path = toml(tmp_path, f"{name} = 'sk-secret'")
    assert problems(path) == [f"{path}, line 1: {name} is not a setting; did you mean {meant}?"]


def test_a_misplaced_setting_in_the_file_has_its_line(tmp_path: Path) -> None:
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
