from dataclasses import replace

from providers.bedrock.immediate.job_ids import job_id_of
from providers.bedrock.immediate.job_store import JobKey
from providers.bedrock.immediate.pauses import PAUSE_SECONDS, Pauses
from providers.credential import Caller, Credential
from tests.test_providers.test_bedrock.test_immediate.stage import CALLER, KEY, FakeClock

OTHER_KEY = JobKey("tenant", job_id_of("another job"))


async def test_a_pause_is_of_one_job_and_one_credential(clock: FakeClock) -> None:
    pauses = Pauses(clock)
    pauses.begin(KEY, CALLER)
    assert pauses.holds(KEY, Caller(CALLER.credential, CALLER.tenant))
    assert not pauses.holds(OTHER_KEY, CALLER)
    assert not pauses.holds(KEY, replace(CALLER, credential=Credential("AKIA:new")))
    # Another region may be the right one.
    assert not pauses.holds(KEY, replace(CALLER, headers={"x-ferry-aws-region": "eu-west-1"}))


async def test_a_pause_ends(clock: FakeClock) -> None:
    pauses = Pauses(clock)
    pauses.begin(KEY, CALLER)
    await clock.pass_time(PAUSE_SECONDS - 1)
    assert pauses.holds(KEY, CALLER)
    pauses.begin(OTHER_KEY, CALLER)
    await clock.pass_time(1)
    assert not pauses.holds(KEY, CALLER)
    assert pauses.holds(OTHER_KEY, CALLER)


async def test_no_credential_is_kept(clock: FakeClock) -> None:
    pauses = Pauses(clock)
    pauses.begin(KEY, CALLER)
    assert "secret" not in repr(vars(pauses))
    assert "AKIA" not in repr(vars(pauses))
