"""Loading settings for tests, with two kinds of provider."""

from pathlib import Path

import pytest

from proxy.settings import load
from proxy.settings_problems import InvalidSettings
from tests.test_proxy.kinds import kinds

KINDS = kinds(gemini=set(), openai={"uploads"})
PORT = "must be a whole number from 0 to 65535"


def problems(config: Path | None = None) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        load(KINDS, config)
    return list(caught.value.problems)


def toml(directory: Path, text: str) -> Path:
    path = directory / "ferry.toml"
    path.write_text(text)
    return path
