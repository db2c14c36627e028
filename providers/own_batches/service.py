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
    """The settings of a provider whose batches the proxy runs.

    `credential` is the proxy's own, if it is used in place of the callers'. `file_life` is how long
    the proxy keeps a file.
    """

    options: ImmediateOptions
    credential: Credential | None
    file_life: timedelta
    background: Background


@dataclass(frozen=True, slots=True)
class OwnBatchService:
    """Builds what the proxy does in place of a provider."""

    own: OwnBatches
    state: State
    memory: MemoryBudget
    limits: Limits
    observer: Observer

    def replaced(self, provider: Provider, lines: OwnLines, answers: Answerer) -> Provider:
        """`provider` with batches that the proxy runs and files that it keeps."""
        staged = StagedFiles(provider.name, self.state, self.own.file_life)
        batches = self.batches(provider.name, lines, answers, staged)
        return with_own_files(provider, batches, staged, self.state)

    def batches(
        self, name: str, lines: OwnLines, answers: Answerer, staged: StagedFiles
    ) -> TargetBatches:
        """`name` is the configured name of the upstream."""
        state, memory, limits, observer = self.state, self.memory, self.limits, self.observer
        options = self.own.options
        immediate = self._immediate(name, answers)
        input_limits = InputLimits(f"the proxy ({options.setting})", options.requests, STAGED_FILE)
        target = OwnBatchTarget(
            name, lines, immediate, staged, memory, limits, input_limits, observer
        )
        return TargetBatches(target, state, memory, limits, observer)

    def _immediate(self, name: str, answers: Answerer) -> ImmediateJobs:
        credential, background = self.own.credential, self.own.background
        immediate = ImmediateJobs(
            name,
            self.state,
            self.memory,
            background,
            answers,
            self.limits.line,
            self.own.options,
            ambient=credential is not None,
            observer=self.observer,
        )
        if credential is not None:
            resume = partial(immediate.resume_periodically, partial(Caller, credential))
            background.start(f"unfinished batches of {name}", resume)
        return immediate
