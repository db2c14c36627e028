"""Builds the batches of a provider that the proxy runs itself."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from providers.batches.background import Background
from providers.batches.checked_input import InputLimits
from providers.batches.immediate.calls import Answerer
from providers.batches.immediate.jobs import ImmediateJobs, ImmediateOptions
from providers.batches.target_batches import TargetBatches
from providers.credential import Caller, Credential
from providers.limits import STAGED_FILE
from providers.memory import Limits, MemoryBudget
from providers.observation import Observer
from providers.own_batches.files import with_own_files
from providers.own_batches.target import OwnBatchTarget, OwnLines
from providers.provider import Provider
from providers.state import State
from providers.uploads.staged_files import StagedFiles


@dataclass(frozen=True, slots=True)
class OwnBatches:
    """What is needed to run all batches of a provider.

    `credential` is the proxy's own, if it is used in place of the callers'. `file_life` is how long
    the proxy keeps a file.
    """

    options: ImmediateOptions
    credential: Credential | None
    file_life: timedelta
    background: Background


def with_own_batches(
    provider: Provider,
    own: OwnBatches,
    lines: OwnLines,
    answers: Answerer,
    state: State,
    memory: MemoryBudget,
    limits: Limits,
    observer: Observer,
) -> Provider:
    """`provider` with batches that the proxy runs and files that it keeps."""
    staged = StagedFiles(provider.name, state, own.file_life)
    batches = own_batches(
        provider.name, own, lines, answers, staged, state, memory, limits, observer
    )
    return with_own_files(provider, batches, staged, state)


def own_batches(
    name: str,
    own: OwnBatches,
    lines: OwnLines,
    answers: Answerer,
    staged: StagedFiles,
    state: State,
    memory: MemoryBudget,
    limits: Limits,
    observer: Observer,
) -> TargetBatches:
    """`name` is the configured name of the upstream."""
    credential = own.credential
    immediate = ImmediateJobs(
        name,
        state,
        memory,
        own.background,
        answers,
        limits.line,
        own.options,
        ambient=credential is not None,
        observer=observer,
    )
    if credential is not None:
        resume = partial(immediate.resume_periodically, partial(Caller, credential))
        own.background.start(f"unfinished batches of {name}", resume)
    input_limits = InputLimits(
        f"the proxy ({own.options.setting})", own.options.requests, STAGED_FILE
    )
    target = OwnBatchTarget(name, lines, immediate, staged, memory, limits, input_limits, observer)
    return TargetBatches(target, state, memory, limits, observer)
