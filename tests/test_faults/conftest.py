"""The same processes as in the end-to-end tests: the fakes, and one proxy in front of them."""

from tests.end_to_end.conftest import (  # noqa: F401 - fixtures
    bedrock,
    fake,
    fakes,
    ferry,
    http,
    openai,
)
