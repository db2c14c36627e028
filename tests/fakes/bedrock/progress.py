"""The progress of a job: each get moves it one step along `NEXT`, until an error."""

from .envelope import now, timestamp
from .job_input import InputRefused, JobInput, check_owner, read_input
from .job_output import write_output
from .role_buckets import OutOfReach, S3Location
from .store import TERMINAL, BedrockStore, StoredJob

NEXT = {
    "Submitted": "Validating",
    "Validating": "Scheduled",
    "Scheduled": "InProgress",
    "InProgress": "Completed",
    "Stopping": "Stopped",
}
VALIDATED = frozenset({"Scheduled", "InProgress", "Completed", "PartiallyCompleted"})
# Expired never began, and Failed shows nothing.
WITH_OUTPUT = frozenset({"Completed", "PartiallyCompleted", "Stopped"})


async def advance(store: BedrockStore, job: StoredJob) -> None:
    """Move one step, unless the job has ended or a test holds it."""
    if job.status not in TERMINAL and job.status != job.hold:
        await move(store, job, NEXT[job.status])


async def move(
    store: BedrockStore, job: StoredJob, status: str, message: str | None = None
) -> None:
    """Into `status`, doing the work that lies before it; a job whose work goes wrong has Failed.

    A job that is stopped before it was validated has no output, unless a test said how much of it
    was reached.
    """
    try:
        if job.input is None and (status in VALIDATED or job.reached is not None):
            job.input = await _validated(store, job)
        if job.input is not None and status in WITH_OUTPUT:
            reached = _reached(job, job.input, status)
            job.resource |= await write_output(store, job, job.input, reached)
    except (InputRefused, OutOfReach) as error:
        status, message = "Failed", str(error)
    _enter(job, status, message)


async def _validated(store: BedrockStore, job: StoredJob) -> JobInput:
    config = job.location("output")
    output = S3Location.of(config["s3Uri"])
    check_owner(output, config)
    await store.buckets.check_bucket(output)
    least = store.settings.min_records
    source = await read_input(store.buckets, job.location("input"), store.quotas, least)
    counts = ("processedRecordCount", "successRecordCount", "errorRecordCount")
    job.resource |= {"totalRecordCount": source.records, **dict.fromkeys(counts, 0)}
    return source


def _reached(job: StoredJob, source: JobInput, status: str) -> int:
    """All records, or half of them in a job that was stopped, unless a test says."""
    usual = source.records if status == "Completed" else source.records // 2
    return usual if job.reached is None else job.reached


def _enter(job: StoredJob, status: str, message: str | None) -> None:
    moment = timestamp(now())
    job.resource |= {"status": status, "lastModifiedTime": moment}
    if message is not None:
        job.resource["message"] = message
    elif status == "Failed":
        job.resource["message"] = "The job failed."
    if status in TERMINAL:
        job.resource["endTime"] = moment
