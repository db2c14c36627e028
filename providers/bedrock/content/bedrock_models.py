"""What a model id of Bedrock's says about the model: the only module that knows them.

An id may stand in an ARN and after a geography (`us.`, `apac.`, `global.`), and its family begins
with the maker's name (bedrock.md section 4). Nothing is guessed: an id that says nothing has the
family UNKNOWN, and Bedrock decides what it takes.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from providers.errors import invalid_argument


class ModelFamily(StrEnum):
    """As far as translations differ."""

    CLAUDE = "Claude"
    NOVA = "Nova"
    TITAN_EMBED_V1 = "Titan Text Embeddings V1"
    TITAN_EMBED_V2 = "Titan Text Embeddings V2"
    COHERE_EMBED_V3 = "Cohere Embed v3"
    COHERE_EMBED_V4 = "Cohere Embed v4"
    OTHER = "other"
    UNKNOWN = "unknown"
    """The id says nothing, as that of an application inference profile."""


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
# What a job takes as modelId (bedrock.md section 2); other ARNs are for calls one at a time.
_BATCHED_ARNS: Final = (
    "foundation-model",
    "inference-profile",
    "application-inference-profile",
    "custom-model",
)
_GEOGRAPHIES: Final = 2
_CLAUDES_MAKER: Final = "anthropic."


def model_family(model: str) -> ModelFamily:
    """The family of a model id, inference profile or ARN.

    Raises INVALID_ARGUMENT for an ARN that no batch can name, as a provisioned model's.
    """
    name = _bare(model)
    for prefix, family in _FAMILIES.items():
        if name.startswith(prefix):
            return family
    return ModelFamily.OTHER if "." in name else ModelFamily.UNKNOWN


def claude_name(model: str) -> str:
    """Anthropic's name in a model id of Bedrock's, as `claude-opus-4-7-20260401-v1:0`.

    The id as it is where it says nothing.
    """
    return _bare(model).removeprefix(_CLAUDES_MAKER)


def _bare(model: str) -> str:
    """The id without ARN and geography; `custom-model/<base>/<id>` is known by its base."""
    name = model.removeprefix("models/")
    found = _ARN.fullmatch(name)
    if found:
        kind, name = found.groups()
        if kind not in _BATCHED_ARNS:
            raise invalid_argument(
                f"Bedrock runs no batch on a {kind}; it takes the ARN of a "
                f"{', '.join(_BATCHED_ARNS)}, or a model id"
            )
    labels = name.partition("/")[0].split(".")
    for start in range(min(_GEOGRAPHIES, len(labels) - 1) + 1):
        rest = ".".join(labels[start:])
        if rest.startswith(tuple(_FAMILIES)):
            return rest
    return ".".join(labels)
