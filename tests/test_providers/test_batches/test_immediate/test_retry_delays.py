from dataclasses import replace

from providers.batches.immediate.job import JobKey, job_id_of
from providers.batches.immediate.retry_delays import DELAY_SECONDS, RetryDelays
from providers.credential import Caller, Credential
from tests.test_providers.test_batches.test_immediate.fake_clock import FakeClock
from tests.test_providers.test_batches.test_immediate.stage import CALLER, KEY

OTHER_KEY = JobKey("tenant", job_id_of("another job"))


async def test_a_retry_delay_belongs_to_one_job_and_one_credential(clock: FakeClock) -> None:
    delays = RetryDelays(clock)
    delays.start(KEY, CALLER)
    assert delays.is_delayed(KEY, Caller(CALLER.credential, CALLER.tenant))
    assert not delays.is_delayed(OTHER_KEY, CALLER)
    assert not delays.is_delayed(KEY, replace(CALLER, credential=Credential("AKIA:new")))
    # Another region may be the right one.
    assert not delays.is_delayed(KEY, replace(CALLER, headers={"x-ferry-aws-region": "eu-west-1"}))


async def test_a_retry_delay_ends(clock: FakeClock) -> None:
    delays = RetryDelays(clock)
    delays.start(KEY, CALLER)
    await clock.pass_time(DELAY_SECONDS - 1)
    assert delays.is_delayed(KEY, CALLER)
    delays.start(OTHER_KEY, CALLER)
    await clock.pass_time(1)
    assert not delays.is_delayed(KEY, CALLER)
    assert delays.is_delayed(OTHER_KEY, CALLER)


async def test_no_credential_is_stored(clock: FakeClock) -> None:
    delays = RetryDelays(clock)
    delays.start(KEY, CALLER)
    assert "secret" not in repr(vars(delays))
    assert "AKIA" not in repr(vars(delays))
