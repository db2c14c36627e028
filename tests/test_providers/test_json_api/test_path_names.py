from posixpath import normpath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FerryError
from providers.json_api.path_names import check_path_name
from providers.status import Status

MODELS = [
    "gemini-2.5-flash",
    "openai/gpt-4o-mini",
    "ft:gpt-4o-mini:org::id",
    "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "us.anthropic.claude-opus-4-6-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.titan/abcdef123456",
    "accounts/fireworks/models/llama-v3p1-8b-instruct",
    "@cf/meta/llama-3.1-8b-instruct",
    "tunedModels/x-1",
    "hf.co/org/Model.GGUF:Q4_K_M",
    "/models/llama",
    "a..b",
    "..a/b..",
    ".hidden",
    "modèle",
    "a b",
]
UNSAFE = [
    "",
    ".",
    "..",
    "../../files",
    "a/../b",
    "a/./b",
    "a/..",
    "..:x",
    "..;x/y",
    "a\ufffdb",
    "a?b",
    "a?key=x",
    "a#b",
    "%2e%2e",
    "%2e%2e%2ffiles",
    "..\\..\\files",
    "a\\b",
    "a\nb",
    "a\rb",
    "a\x00b",
    "a\x7fb",
    "a\u2028b",
    "a" * 2049,
]


@pytest.mark.parametrize("name", MODELS)
def test_names_that_providers_have(name: str) -> None:
    check_path_name(name, "model", "model")


@pytest.mark.parametrize("name", UNSAFE, ids=lambda name: repr(name)[:30])
def test_names_that_would_change_the_path(name: str) -> None:
    with pytest.raises(FerryError) as refused:
        check_path_name(name, "batch.model", "model")
    assert (refused.value.status, refused.value.path) == (Status.INVALID_ARGUMENT, "batch.model")


@given(st.text(alphabet="ab./:%?#\\2e\n", min_size=1, max_size=12))
def test_a_name_that_passes_stays_below_its_parent(name: str) -> None:
    try:
        check_path_name(name, None, "model")
    except FerryError:
        return
    read = unquote(unquote(name)).replace("\\", "/")
    assert normpath(f"/v1/models/m/{read}/verb").startswith("/v1/models/m/")
    assert read.partition(":")[0] not in (".", "..")
