"""What a Bedrock model id says about the model. Only this module knows the ids.

An id may be in an ARN and after a geography (`us.`, `apac.`, `global.`). The id of a model begins
with its maker (bedrock.md section 4). Nothing is guessed: an id that says nothing has the family
UNKNOWN, and Bedrock decides what the model accepts.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from providers.errors import invalid_argument


class InvocationType(StrEnum):
    """The formats of `modelInput`, of which a job has one (bedrock.md section 2)."""

    CONVERSE = "Converse"
    """One schema for all text models; a batch of this type takes no tools."""

    INVOKE_MODEL = "InvokeModel"
    """The model's own schema."""


class ModelFamily(StrEnum):
    """The families that translations distinguish."""

    CLAUDE = "Claude"
    NOVA = "Nova"
    TITAN_EMBED_V1 = "Titan Text Embeddings V1"
    TITAN_EMBED_V2 = "Titan Text Embeddings V2"
    COHERE_EMBED_V3 = "Cohere Embed v3"
    COHERE_EMBED_V4 = "Cohere Embed v4"
    OTHER = "other"
    UNKNOWN = "unknown"
    """The id says nothing, like that of an application inference profile."""


_FAMILIES: Final[Mapping[str, ModelFamily]] = {
    "anthropic.claude": ModelFamily.CLAUDE,
    "amazon.nova-": ModelFamily.NOVA,
    "amazon.titan-embed-text-v1": ModelFamily.TITAN_EMBED_V1,
    "amazon.titan-embed-text-v2": ModelFamily.TITAN_EMBED_V2,
    "cohere.embed-v4": ModelFamily.COHERE_EMBED_V4,
    "cohere.embed-english-v3": ModelFamily.COHERE_EMBED_V3,
    "cohere.embed-multilingual-v3": ModelFamily.COHERE_EMBED_V3,
}

_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:([^/]*)/?(.*)", re.DOTALL)
# The ARNs that a job accepts as modelId (bedrock.md section 2); others are for single calls.
_BATCHED_ARNS: Final = (
    "foundation-model",
    "inference-profile",
    "application-inference-profile",
    "custom-model",
)
# Those that name a foundation model, or AWS's own profile of one.
_FOUNDATION_ARNS: Final = ("foundation-model", "inference-profile")
_GEOGRAPHIES: Final = 2
_CLAUDES_MAKER: Final = "anthropic."


def model_family(model: str) -> ModelFamily:
    """The family of a model id, inference profile or ARN."""
    name = _bare(model)
    for prefix, family in _FAMILIES.items():
        if name.startswith(prefix):
            return family
    return ModelFamily.OTHER if "." in name else ModelFamily.UNKNOWN


def require_batched(model: str) -> None:
    """Raise INVALID_ARGUMENT for an ARN that no batch accepts, like that of a provisioned model."""
    found = _ARN.fullmatch(model.removeprefix("models/"))
    if found and found[1] not in _BATCHED_ARNS:
        raise invalid_argument(
            f"Bedrock runs no batch on a {found[1]}; it accepts the ARN of a "
            f"{', '.join(_BATCHED_ARNS)}, or a model id"
        )


def claude_name(model: str) -> str:
    """Anthropic's name in a Bedrock model id, like `claude-opus-4-7-20260401-v1:0`.

    An id that says nothing is returned unchanged.
    """
    return _bare(model).removeprefix(_CLAUDES_MAKER)


def claude_foundation_model(model: str) -> str | None:
    """The id of Claude's foundation model that `model` is, or that it is AWS's own profile of.

    None if it is neither, or if the id does not say so. A geography does not change the model.
    """
    found = _ARN.fullmatch(model.removeprefix("models/"))
    if found and found[1] not in _FOUNDATION_ARNS:
        return None
    return _bare(model) if model_family(model) is ModelFamily.CLAUDE else None


def _bare(model: str) -> str:
    """The id without ARN and geography; for `custom-model/<base>/<id>`, its base."""
    name = model.removeprefix("models/")
    found = _ARN.fullmatch(name)
    name = found[2] if found else name
    labels = name.partition("/")[0].split(".")
    for start in range(min(_GEOGRAPHIES, len(labels) - 1) + 1):
        rest = ".".join(labels[start:])
        if rest.startswith(tuple(_FAMILIES)):
            return rest
    return ".".join(labels)
