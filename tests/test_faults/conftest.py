"""The same processes as in the end-to-end tests: the fakes, and one proxy in front of them."""

import pytest

from tests.end_to_end.conftest import (  # noqa: F401 - fixtures
    bedrock,
    fake,
    fakes,
    ferry,
    http,
    openai,
)

# At Bedrock the calls of one creation are repeated one after the other, each with its pauses.
LONG_AT_BEDROCK = (
    "does the work and closes",
    "breaks off its answer",
    "breaks off between chunks",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.name.endswith(f"[bedrock-{fault}]") for fault in LONG_AT_BEDROCK):
            item.add_marker(pytest.mark.long)
