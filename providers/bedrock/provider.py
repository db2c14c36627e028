"""The Bedrock provider: files are objects in S3; batches are jobs that read and write there."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from providers.aws.client import AwsClient
from providers.aws.keys import KEY_FORMS
from providers.aws.target import (
    PASSED_HEADERS,
    SCOPING_HEADERS,
    AwsTargetOptions,
    AwsTargets,
)
from providers.batches.background import Background
from providers.batches.files_with_results import FilesWithResults
from providers.batches.immediate.combined import CombinedTarget
from providers.batches.immediate.jobs import ImmediateJobs, ImmediateOptions
from providers.batches.target_batches import TargetBatches
from providers.bedrock.answers import BedrockAnswers
from providers.bedrock.batch_target import BedrockBatchTarget
from providers.bedrock.credential_checks import control_plane_check, s3_check
from providers.bedrock.embeddings import BedrockEmbeddings
from providers.bedrock.files import BedrockFiles
from providers.bedrock.jobs.job_batches import JobBatches
from providers.bedrock.models import BedrockModels
from providers.bedrock.prompts import BedrockPrompts
from providers.bedrock.tokens import BedrockTokens
from providers.bedrock.upload_target import BedrockUploadTarget
from providers.credential import Caller, Credential
from providers.embeddings.text_embeddings import TextEmbeddings
from providers.memory import Limits, MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.prompt_cache import CACHE_HEADER, CacheLife
from providers.provider import NameForms, Provider
from providers.resource_names import OBJECT_KEY, OBJECT_LETTER
from providers.retries import Retries
from providers.state import State
from providers.uploads.resumable import ResumableUploads
from providers.upstream import Upstream

KIND: Final = "bedrock"

# Not distinctive: other providers may use twelve lower-case letters and digits too, and an S3 key
# is any text.
_NAMES: Final = NameForms(
    files=re.compile(r"o[a-z2-7]+"),
    batches=re.compile(r"[a-z0-9]{12}|immediate-[0-9a-v]{26}"),
    distinctive=False,
    letters={OBJECT_LETTER: OBJECT_KEY},
)


@dataclass(frozen=True, slots=True)
class BedrockOptions:
    """`minimum`: records in a job. `immediate`: the batches that the proxy runs itself.

    `upload_life`: until an unfinished upload is abandoned. `cache`: the cache for which prompts are
    marked if their client says nothing.
    """

    target: AwsTargetOptions
    minimum: int
    immediate: ImmediateOptions
    upload_life: timedelta
    limits: Limits
    cache: CacheLife | None = None


def bedrock(
    options: BedrockOptions,
    upstream: Upstream,
    state: State,
    memory: MemoryBudget,
    background: Background,
    observer: Observer = UNOBSERVED,
) -> Provider:
    name, limits = options.target.name, options.limits
    targets = AwsTargets(options.target)
    retries = Retries(observer)
    client = AwsClient(name, upstream, retries)
    own = options.target.own_keys is not None
    answers = BedrockAnswers(client, targets, limits.line)
    immediate = ImmediateJobs(
        name,
        state,
        memory,
        background,
        answers,
        limits.line,
        options.immediate,
        ambient=own,
        observer=observer,
    )
    jobs = JobBatches(client, targets, state, memory, limits.line)
    batch_target = BedrockBatchTarget(
        targets,
        jobs,
        immediate,
        options.immediate.use,
        options.minimum,
        memory,
        limits,
        options.cache,
        observer,
    )
    combined = CombinedTarget(batch_target, immediate)
    batches = TargetBatches(combined, state, memory, limits, observer)
    upload_target = BedrockUploadTarget(targets, jobs.s3, state, options.upload_life)
    uploads = ResumableUploads(upload_target, state)
    if own:  # without keys of its own the proxy resumes a batch only when its caller asks for it
        resume = partial(immediate.resume_periodically, lambda tenant: Caller(Credential(), tenant))
        background.start(f"unfinished batches of {name}", resume)
    return Provider(
        name=name,
        kind=KIND,
        names=_NAMES,
        passed_headers=PASSED_HEADERS | {CACHE_HEADER},
        scoping_headers=SCOPING_HEADERS,
        uploads=uploads,
        upload_check=s3_check(targets, jobs.s3),
        batch_check=control_plane_check(targets, jobs.jobs),
        files=FilesWithResults(BedrockFiles(targets, jobs.s3), batches, uploads.create),
        batches=batches,
        prompts=BedrockPrompts(client, jobs.s3, targets, memory, retries, options.cache),
        models=BedrockModels(client, targets),
        tokens=BedrockTokens(client, targets, memory, retries),
        embeddings=TextEmbeddings(BedrockEmbeddings(client, targets, retries), memory),
        own_credential=Credential() if own else None,
        key_forms=KEY_FORMS,
        secret_key_travels=not own,
    )
