from providers.bedrock.immediate.patience import PATIENCE_SECONDS, Patience
from tests.test_providers.test_bedrock.test_immediate.stage import FakeClock


async def test_it_ends_a_while_after_the_first_call_that_was_not_begun(clock: FakeClock) -> None:
    patience = Patience(clock)
    await clock.pass_time(2 * PATIENCE_SECONDS)
    assert patience.try_on()
    await clock.pass_time(PATIENCE_SECONDS - 1)
    assert patience.try_on()
    await clock.pass_time(1)
    assert not patience.try_on()


async def test_any_answer_renews_it(clock: FakeClock) -> None:
    patience = Patience(clock)
    for _ in range(3):
        assert patience.try_on()
        await clock.pass_time(PATIENCE_SECONDS - 1)
        patience.answered()
        await clock.pass_time(PATIENCE_SECONDS)
