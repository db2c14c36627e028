import pytest
from yarl import URL

from providers.gemini.provider import DEFAULT_BASE_URL, gemini
from providers.memory import MemoryBudget
from tests.memory_state import MemoryState
from tests.test_providers.test_gemini.scripted_upstream import ScriptedUpstream

PROVIDER = gemini(
    "google", URL(DEFAULT_BASE_URL), ScriptedUpstream(), MemoryState(), MemoryBudget(), 1 << 20
)


def test_everything_except_uploads_is_relayed() -> None:
    assert (PROVIDER.name, PROVIDER.kind) == ("google", "gemini")
    assert PROVIDER.relay is not None
    assert PROVIDER.files is None
    assert PROVIDER.batches is None


@pytest.mark.parametrize("name", ["abc-123", "a" * 40])
def test_a_name_of_googles_form_may_be_any_providers(name: str) -> None:
    assert PROVIDER.names.files.fullmatch(name)
    assert PROVIDER.names.batches.fullmatch(name)
    assert not PROVIDER.names.distinctive


@pytest.mark.parametrize("name", ["", "a" * 41, "file-AbC", "batch_1", "a/b"])
def test_a_name_of_another_form_is_not_googles(name: str) -> None:
    assert not PROVIDER.names.files.fullmatch(name)
    assert not PROVIDER.names.batches.fullmatch(name)
