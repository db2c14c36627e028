"""The Mistral provider."""

from dataclasses import dataclass
from typing import Final

from yarl import URL

from providers.batches.file_batches.target import FileBatchTarget
from providers.batches.files_with_results import FilesWithResults
from providers.batches.target_batches import TargetBatches
from providers.embeddings.openai_embeddings import OpenAIEmbeddings
from providers.embeddings.text_embeddings import TextEmbeddings
from providers.json_api.credential_check import models_check
from providers.json_api.model_list import ModelList
from providers.memory import Limits, MemoryBudget
from providers.mistral.batches import STATUS_WORDS, MistralBatchApi
from providers.mistral.client import UUID, mistral_client
from providers.mistral.dialect import EMBED_PACKING, MISTRAL_DIALECT
from providers.mistral.files import MistralFileApi, MistralUploadTarget
from providers.mistral.models import from_mistral_model
from providers.observation import UNOBSERVED, Observer
from providers.own_batches.chat_answers import ChatAnswers, chat_lines
from providers.own_batches.service import OwnBatches, OwnBatchService
from providers.prompts.openai_prompts import OpenAIPrompts, chat_completions
from providers.provider import NameForms, Provider
from providers.retries import Retries
from providers.state import State
from providers.uploads.native_files import FileRecords, NativeFiles
from providers.uploads.resumable import ResumableUploads
from providers.upstream import Upstream

KIND: Final = "mistral"
DEFAULT_BASE_URL: Final = "https://api.mistral.ai/v1"

# Not distinctive: other providers may use UUIDs too.
NAMES: Final = NameForms(
    files=UUID, batches=UUID, distinctive=False, file_members=frozenset({"file_id"})
)


@dataclass(frozen=True, slots=True)
class MistralOptions:
    """`own_batches`: the proxy runs all batches itself, and keeps the files."""

    base_url: URL
    limits: Limits
    own_batches: OwnBatches | None = None


def mistral(
    name: str,
    options: MistralOptions,
    upstream: Upstream,
    state: State,
    memory: MemoryBudget,
    observer: Observer = UNOBSERVED,
) -> Provider:
    """Its keys have no form that only they can have, so there are no `key_forms`."""
    client = mistral_client(name, options.base_url, upstream, Retries(observer))
    records, file_api = FileRecords(name, state), MistralFileApi(client)
    uploads = ResumableUploads(MistralUploadTarget(client, state, records, file_api), state)
    batch_api = MistralBatchApi(client, state)
    target = FileBatchTarget(client, batch_api, state, memory, options.limits, observer)
    batches = TargetBatches(target, state, memory, options.limits, observer)
    files = NativeFiles(client, records, file_api)
    chat = chat_completions(MISTRAL_DIALECT)
    check = models_check(client)
    provider = Provider(
        name=name,
        kind=KIND,
        names=NAMES,
        passed_headers=frozenset(),
        scoping_headers=frozenset(),
        uploads=uploads,
        upload_check=check,
        batch_check=check,
        files=FilesWithResults(files, batches, uploads.create),
        batches=batches,
        prompts=OpenAIPrompts(client, memory, lambda _: (chat,)),
        models=ModelList(client, from_mistral_model),
        embeddings=TextEmbeddings(OpenAIEmbeddings(client, MISTRAL_DIALECT, EMBED_PACKING), memory),
    )
    own, limits = options.own_batches, options.limits
    if own is None:
        return provider
    service = OwnBatchService(own, state, memory, limits, observer)
    answers = ChatAnswers(client, limits.line, STATUS_WORDS)
    return service.replaced(provider, chat_lines(client, batch_api), answers)
