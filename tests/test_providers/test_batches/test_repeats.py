from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from providers.batches.repeats import Attempt, Repeat, may_have_created
from providers.errors import FerryError, invalid_argument, unavailable
from providers.resources import BatchKind, NewBatch
from providers.status import Status
from providers.upstream import UpstreamError
from tests.memory_state import MemoryState

BATCH = NewBatch("m", BatchKind.GENERATE, [], idempotency_key="once", fingerprint="f")


@pytest.fixture
def state() -> MemoryState:
    return MemoryState()


def repeat(state: MemoryState, batch: NewBatch = BATCH, tenant: str = "tenant") -> Repeat:
    return Repeat("openai", state, tenant, batch.idempotency_key or "", batch.fingerprint)


async def test_only_the_first_attempt_is_the_first(state: MemoryState) -> None:
    assert await repeat(state).recorded() is None
    assert await repeat(state).begin()
    assert not await repeat(state).begin()
    assert await repeat(state).recorded() is None


async def test_all_attempts_share_the_id_of_the_first(state: MemoryState) -> None:
    assert await repeat(state).join("job-a") == "job-a"
    assert await repeat(state).join("job-b") == "job-a"
    await repeat(state).forget()
    assert await repeat(state).join("job-b") == "job-b"


async def test_the_first_batch_recorded_is_the_one(state: MemoryState) -> None:
    assert await repeat(state).record("batch_a") == "batch_a"
    assert await repeat(state).record("batch_b") == "batch_a"
    assert await repeat(state).recorded() == "batch_a"


@pytest.mark.parametrize("stage", ["begin", "record"])
async def test_another_body_is_refused(state: MemoryState, stage: str) -> None:
    await (repeat(state).begin() if stage == "begin" else repeat(state).record("batch_a"))
    other = repeat(state, replace(BATCH, fingerprint="other"))
    with pytest.raises(FerryError) as caught:
        await (other.begin() if stage == "begin" else other.recorded())
    assert (caught.value.status, caught.value.code) == (Status.ALREADY_EXISTS, 409)


async def test_keys_belong_to_one_tenant(state: MemoryState) -> None:
    await repeat(state).record("batch_a")
    assert await repeat(state, tenant="other").recorded() is None
    assert await repeat(state, replace(BATCH, idempotency_key="another")).recorded() is None
    keys = {repeat(state).creation_key, repeat(state, tenant="other").creation_key}
    keys.add(repeat(state, replace(BATCH, fingerprint="other")).creation_key)
    assert len(keys) == 3


async def test_a_key_is_free_again_after_a_day(state: MemoryState) -> None:
    await repeat(state).begin()
    await repeat(state).record("batch_a")
    with patch("providers.batches.repeats.datetime") as clock:
        clock.now.return_value = datetime.now(UTC) + timedelta(hours=23, minutes=59)
        assert await repeat(state).recorded() == "batch_a"
        clock.now.return_value = datetime.now(UTC) + timedelta(hours=24, minutes=1)
        assert await repeat(state).recorded() is None
        assert await repeat(state).begin()


async def test_an_attempt_that_created_nothing_can_be_forgotten(state: MemoryState) -> None:
    assert await repeat(state).begin()
    await repeat(state).forget()
    assert await repeat(state).begin()


async def test_keys_are_not_stored(state: MemoryState) -> None:
    batch = replace(BATCH, idempotency_key="a-key-of-the-client")
    await repeat(state, batch).begin()
    assert "a-key-of-the-client" not in f"{state.objects} {batch}"


def test_a_key_has_a_limit(state: MemoryState) -> None:
    repeat(state, replace(BATCH, idempotency_key="x" * 256))
    with pytest.raises(FerryError) as caught:
        repeat(state, replace(BATCH, idempotency_key="x" * 257))
    assert caught.value.status == Status.INVALID_ARGUMENT


# --- attempts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "may_have"),
    [
        (UpstreamError(Status.UNAVAILABLE, "x"), True),
        (UpstreamError(Status.UNAVAILABLE, "x", unsent=True), False),
        (unavailable("x"), True),
        (invalid_argument("x"), False),
        (OSError("of the body"), False),
    ],
)
async def test_a_single_attempt_that_created_nothing_frees_its_key(
    state: MemoryState, error: Exception, may_have: bool
) -> None:
    assert may_have_created(error) is may_have
    with pytest.raises(type(error)):
        async with Attempt(repeat(state)).single():
            raise error
    assert await repeat(state).begin() is not may_have


async def test_a_second_single_attempt_is_refused(state: MemoryState) -> None:
    async with Attempt(repeat(state)).single():
        with pytest.raises(FerryError) as caught:
            async with Attempt(repeat(state)).single():
                pytest.fail("a second attempt")
    assert caught.value.status is Status.ABORTED


async def test_only_the_first_attempt_is_forgotten(state: MemoryState) -> None:
    first, second = Attempt(repeat(state)), Attempt(repeat(state))
    assert await first.begin()
    assert not await second.begin()
    await second.forget()
    assert not await Attempt(repeat(state)).begin()
    await first.forget()
    assert await second.join("job-b") == "job-b"
    await second.forget()
    assert await Attempt(repeat(state)).join("job-c") == "job-c"
