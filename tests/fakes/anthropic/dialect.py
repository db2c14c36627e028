"""The version and betas in the headers of a batch's creation. They apply to all its requests."""

from dataclasses import dataclass

OLD, NEW = VERSIONS = ("2023-06-01", "2026-10-21")
FILES_BETA = "files-api-2025-04-14"


@dataclass(frozen=True)
class Dialect:
    """`version` is the API's, `betas` are what `anthropic-beta` names."""

    version: str
    betas: frozenset[str] = frozenset()

    @property
    def takes_files(self) -> bool:
        """Whether a message may name a file: the old version needs the beta of the Files API."""
        return self.version == NEW or FILES_BETA in self.betas
