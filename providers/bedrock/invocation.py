"""The two ways in which Bedrock reads `modelInput` (bedrock.md section 2)."""

from enum import StrEnum


class InvocationType(StrEnum):
    """As `modelInvocationType` says it; a job has one."""

    CONVERSE = "Converse"
    """One schema for all text models; a batch of this type takes no tools."""

    INVOKE_MODEL = "InvokeModel"
    """The model's own schema."""
