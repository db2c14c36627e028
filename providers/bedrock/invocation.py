"""The two formats of `modelInput` (bedrock.md section 2)."""

from enum import StrEnum


class InvocationType(StrEnum):
    """The values of `modelInvocationType`; a job has one."""

    CONVERSE = "Converse"
    """One schema for all text models; a batch of this type takes no tools."""

    INVOKE_MODEL = "InvokeModel"
    """The model's own schema."""
