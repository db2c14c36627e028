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

# The calls of one creation are repeated one after the other, each with its pauses; and to a client
# these three look as `resets the connection` does.
LONG = ("does the work and closes", "breaks off its answer", "breaks off between chunks")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.name.endswith(f"-{fault}]") for fault in LONG):
            item.add_marker(pytest.mark.long)
