from providers.batches.immediate.retry_policy import RETRY_SECONDS, RetryPolicy
from tests.test_providers.test_batches.test_immediate.stage import FakeClock


async def test_it_ends_a_while_after_the_first_call_that_was_not_begun(clock: FakeClock) -> None:
    retries = RetryPolicy(clock)
    await clock.pass_time(2 * RETRY_SECONDS)
    assert retries.may_retry()
    await clock.pass_time(RETRY_SECONDS - 1)
    assert retries.may_retry()
    await clock.pass_time(1)
    assert not retries.may_retry()


async def test_any_answer_renews_it(clock: FakeClock) -> None:
    retries = RetryPolicy(clock)
    for _ in range(3):
        assert retries.may_retry()
        await clock.pass_time(RETRY_SECONDS - 1)
        retries.answered()
        await clock.pass_time(RETRY_SECONDS)
