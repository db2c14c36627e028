"""How a job moves: QUEUED -> RUNNING -> SUCCESS, one step at each get."""

import asyncio
import time
from typing import Any

from .files import count_lines
from .job_input import check_input
from .results import answer_lines
from .store import TERMINAL, MistralStore, StoredJob

NEXT = {"QUEUED": "RUNNING", "RUNNING": "SUCCESS", "CANCELLATION_REQUESTED": "CANCELLED"}
ANSWERED = frozenset({"SUCCESS", "TIMEOUT_EXCEEDED", "CANCELLED"})
# How long results can be downloaded.
RESULTS_LIFETIME = 24 * 3600
RESULT_KINDS = {"output": "batch_result", "error": "batch_error"}


async def advance(store: MistralStore, job: StoredJob) -> None:
    """Move one step, unless the job has ended or a test holds it."""
    if job.status not in TERMINAL and job.status != job.hold:
        await move(store, job, NEXT[job.status])


async def move(store: MistralStore, job: StoredJob, status: str) -> None:
    """Move to `status` and do the work before it; the input is checked before it runs."""
    began = job.resource["started_at"] is not None
    if not began and status in ("RUNNING", "SUCCESS", "TIMEOUT_EXCEEDED"):
        await _start(job)
        if job.status == "FAILED":
            return
    if status in ANSWERED and job.lines and not job.results:
        await _answer(store, job, status)
    if status == "FAILED" and not job.resource["errors"]:
        fail(job, [{"message": "It failed.", "count": 1}])
    _enter(job, status)


async def _start(job: StoredJob) -> None:
    """`total_requests` is 0 until the input is checked."""
    checked = await asyncio.to_thread(check_input, job.sources)
    if checked.errors:
        fail(job, checked.errors)
        _enter(job, "FAILED")
        return
    job.lines = checked.lines
    job.resource |= {"total_requests": len(checked.lines), "started_at": int(time.time())}


def fail(job: StoredJob, errors: list[dict[str, Any]]) -> None:
    job.resource["errors"] = errors


def _enter(job: StoredJob, status: str) -> None:
    job.resource["status"] = status
    if status in TERMINAL:
        job.resource["completed_at"] = int(time.time())


async def _answer(store: MistralStore, job: StoredJob, status: str) -> None:
    """Answer the lines; a cancelled or timed-out job answers half of them.

    The results of a job with inline requests are in its outputs only (unverified).
    """
    results = await asyncio.to_thread(answer_lines, store, job, status)
    job.results = {"output": results.output, "error": results.error}
    job.resource |= {
        "completed_requests": results.good + results.bad,
        "succeeded_requests": results.good,
        "failed_requests": results.bad,
    }
    if job.inline:
        return
    for kind, sample_type in RESULT_KINDS.items():
        blob = job.results[kind]
        if blob is not None:
            file = store.add_file(
                job.owner,
                blob,
                filename=f"{job.resource['id']}_{kind}.jsonl",
                purpose="batch",
                sample_type=sample_type,
                source="mistral",
                num_lines=await asyncio.to_thread(count_lines, blob),
                mimetype="application/jsonl",
                expires_at=int(time.time()) + RESULTS_LIFETIME,
            )
            job.resource[f"{kind}_file"] = file["id"]
