"""Batches that are jobs at Bedrock."""

import asyncio
from collections.abc import Sequence
from typing import Final

from providers.aws.target import AwsTargets
from providers.batches.deleted_markers import batch_marker
from providers.bedrock.jobs.found_job import JobBatch, JobParts
from providers.bedrock.jobs.job_records import JobName, from_bedrock_job, is_visible, prefix_of
from providers.bedrock.jobs.operations import job_id_of
from providers.bedrock.pages import Listed, filled_page, page_start_of, seen_after
from providers.credential import Caller
from providers.errors import not_found
from providers.json_api.client import Answer
from providers.json_api.page_tokens import encode_page_token
from providers.resource_names import check_native_id
from providers.resources import Batch, Page

# Large, so that deleted jobs cost few further pages; Bedrock allows up to 1000.
_JOBS_PAGE: Final = 100


class JobBatches:
    def __init__(self, targets: AwsTargets, parts: JobParts) -> None:
        self._targets = targets
        self._parts = parts

    async def find(self, caller: Caller, batch_id: str) -> JobBatch:
        check_native_id(batch_id, "batch")
        target = await self._targets.of(caller)
        job = await self._parts.jobs.get(target, batch_id)
        if not is_visible(job, target.tenant_id):
            raise not_found(f"there is no batches/{batch_id}")
        if await self._parts.deleted.is_deleted(batch_marker(batch_id)):
            raise not_found(f"batches/{batch_id} was deleted")
        return JobBatch(self._parts, target, job, await self._parts.memory.kept(job))

    async def find_attempt(self, caller: Caller, job: str) -> JobBatch | None:
        """The batch that an earlier attempt created under our id `job`."""
        target = await self._targets.of(caller)
        found = await self._parts.jobs.find(target, str(JobName(target.tenant_id, job)))
        if found is None:
            return None
        return JobBatch(self._parts, target, found, await self._parts.memory.kept(found))

    async def page(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Batch]:
        """Newest first."""
        start = page_start_of(page_token)
        target = await self._targets.of(caller)
        # Only the tenant's jobs; without tenants every job that the keys can see.
        query = {"nameContains": prefix_of(target.tenant_id)} if target.tenant_id else {}

        async def fetch(token: str | None) -> tuple[Sequence[Listed[Answer]], str | None]:
            page, following = await self._parts.jobs.page(target, _JOBS_PAGE, token, **query)
            names = [batch_marker(job_id_of(job)) for job in page]
            deleted = await self._parts.deleted.deleted_of(names)
            shown = [is_visible(job, target.tenant_id) for job in page]
            listed = [
                Listed(job_id_of(job), job if visible and name not in deleted else None)
                for job, name, visible in zip(page, names, shown, strict=True)
            ]
            return listed, following

        jobs, next_page = await filled_page(fetch, page_size, start, seen_after)
        kept = await asyncio.gather(*map(self._parts.memory.kept, jobs))
        batches = [from_bedrock_job(job, k.record) for job, k in zip(jobs, kept, strict=True)]
        return Page(batches, encode_page_token(str(next_page)) if next_page else None)
