"""The Anthropic provider. It has batches from files, which Anthropic itself does not have."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from yarl import URL

from providers.anthropic.answers import AnthropicAnswers, own_lines
from providers.anthropic.batch_lines import NATIVE_FILE
from providers.anthropic.batch_target import AnthropicBatchTarget
from providers.anthropic.client import PASSED_HEADERS, SCOPING_HEADERS, anthropic_client
from providers.anthropic.files import AnthropicFiles
from providers.anthropic.models import AnthropicModels
from providers.anthropic.prompts import AnthropicPrompts
from providers.anthropic.tokens import AnthropicTokens
from providers.anthropic.upload_target import FILE_EXPIRY, AnthropicUploadTarget
from providers.batches.files_with_results import FilesWithResults
from providers.batches.target_batches import TargetBatches
from providers.json_api.client import JsonApi
from providers.json_api.credential_check import models_check
from providers.memory import Limits, MemoryBudget
from providers.observation import UNOBSERVED, Observer
from providers.own_batches.service import OwnBatches, OwnBatchService
from providers.prompt_cache import CACHE_HEADER, CacheLife
from providers.provider import KeyForm, NameForms, Provider
from providers.resource_names import FileKind
from providers.retries import Retries
from providers.state import State
from providers.uploads.native_files import FileRecords
from providers.uploads.resumable import ResumableUploads
from providers.uploads.staged_files import STAGED_ID, StagedFiles
from providers.upstream import Upstream

KIND: Final = "anthropic"
DEFAULT_BASE_URL: Final = "https://api.anthropic.com"

KEY_FORMS: Final = (KeyForm(re.compile(r"sk-ant-\S+"), "an Anthropic key"),)

NAMES: Final = NameForms(
    files=NATIVE_FILE,
    batches=re.compile(r"msgbatch_[A-Za-z0-9]+"),
    distinctive=True,
    letters={FileKind.STAGED: STAGED_ID},
    # In the arguments of a user's function a container may be anything, so the value tells.
    # Unverified: how the ids begin.
    shared={"container": re.compile(r"(cntr_|container_).*", re.DOTALL)},
    file_members=frozenset({"file_id", "file_ids"}),
)


@dataclass(frozen=True, slots=True)
class AnthropicOptions:
    """`state_life` is how long the proxy keeps the input file of a batch.

    `cache`: the cache for which prompts are marked if their client says nothing.
    `own_batches`: the proxy runs all batches itself.
    """

    base_url: URL
    api_version: str
    default_max_tokens: int
    state_life: timedelta
    limits: Limits
    cache: CacheLife | None = None
    own_batches: OwnBatches | None = None


def anthropic(
    name: str,
    options: AnthropicOptions,
    upstream: Upstream,
    state: State,
    memory: MemoryBudget,
    observer: Observer = UNOBSERVED,
) -> Provider:
    client = anthropic_client(
        name, options.base_url, upstream, options.api_version, Retries(observer)
    )
    staged = StagedFiles(name, state, options.state_life)
    records = FileRecords(name, state)
    uploads = ResumableUploads(AnthropicUploadTarget(client, state, records, staged), state)
    batches = _batches(client, options, staged, state, memory, observer)
    check = models_check(client, "v1/models")
    return Provider(
        name=name,
        kind=KIND,
        names=NAMES,
        passed_headers=PASSED_HEADERS | {CACHE_HEADER},
        scoping_headers=SCOPING_HEADERS,
        uploads=uploads,
        upload_check=check,
        batch_check=check,
        files=FilesWithResults(AnthropicFiles(client, records, staged), batches, uploads.create),
        batches=batches,
        prompts=AnthropicPrompts(client, memory, options.default_max_tokens, options.cache),
        models=AnthropicModels(client),
        tokens=AnthropicTokens(client, memory, options.default_max_tokens),
        file_expiry=FILE_EXPIRY,
        key_forms=KEY_FORMS,
    )


def _batches(
    client: JsonApi,
    options: AnthropicOptions,
    staged: StagedFiles,
    state: State,
    memory: MemoryBudget,
    observer: Observer,
) -> TargetBatches:
    limits, own = options.limits, options.own_batches
    if own is None:
        target = AnthropicBatchTarget(
            client,
            state,
            staged,
            memory,
            limits,
            options.default_max_tokens,
            options.cache,
            observer,
        )
        return TargetBatches(target, state, memory, limits, observer)
    lines = own_lines(client, options.default_max_tokens, options.cache)
    answers = AnthropicAnswers(client, limits.line)
    service = OwnBatchService(own, state, memory, limits, observer)
    return service.batches(client.name, lines, answers, staged)
