"""The names of the enums that clients may also give by number: a name's place is its number.

Clients that are made of Google's protobufs write numbers (`enum-encoding=int`): the packages
google-ai-generativelanguage and google-generativeai, and what builds on them. The numbers are those
of google-ai-generativelanguage 0.12.1. Enums that it does not have are given by name only.
"""

from typing import Final, TypeAlias

EnumNames: TypeAlias = tuple[str, ...]

BEHAVIORS: Final[EnumNames] = ("UNSPECIFIED", "BLOCKING", "NON_BLOCKING")
CALLING_MODES: Final[EnumNames] = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
MEDIA_RESOLUTIONS: Final[EnumNames] = (
    "MEDIA_RESOLUTION_UNSPECIFIED",
    "MEDIA_RESOLUTION_LOW",
    "MEDIA_RESOLUTION_MEDIUM",
    "MEDIA_RESOLUTION_HIGH",
)
MODALITIES: Final[EnumNames] = ("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO")
SCHEDULINGS: Final[EnumNames] = ("SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT")
HARM_CATEGORIES: Final[EnumNames] = (
    "HARM_CATEGORY_UNSPECIFIED",
    "HARM_CATEGORY_DEROGATORY",
    "HARM_CATEGORY_TOXICITY",
    "HARM_CATEGORY_VIOLENCE",
    "HARM_CATEGORY_SEXUAL",
    "HARM_CATEGORY_MEDICAL",
    "HARM_CATEGORY_DANGEROUS",
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
    "HARM_CATEGORY_CIVIC_INTEGRITY",
)
HARM_THRESHOLDS: Final[EnumNames] = (
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
)
TASK_TYPES: Final[EnumNames] = (
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
)
TYPES: Final[EnumNames] = (
    "TYPE_UNSPECIFIED",
    "STRING",
    "NUMBER",
    "INTEGER",
    "BOOLEAN",
    "ARRAY",
    "OBJECT",
    "NULL",
)
