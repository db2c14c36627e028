"""The known models: their families by id (bedrock.md section 4), and Claude's own rules.

Unverified, and only here: which family takes what.
"""

import re
from dataclasses import dataclass

from ..anthropic.models import Model as Claude
from ..anthropic.models import find_model as find_claude
from ..aws_keys import ACCOUNT, REGION
from ..refusal import Refusal
from .envelope import refuse

ARN = re.compile(
    r"arn:aws(?:-[^:]+)?:bedrock:(?P<region>[a-z0-9-]+):(?P<account>\d{12})?:(?P<kind>[a-z-]+)/(?P<id>.+)"
)
GEOGRAPHY = re.compile(r"(?:us|us-gov|eu|apac|global|jp|au|ca|sa)\.(?=[a-z0-9-]+\.)")
# The id of an application inference profile says nothing of its model.
APPLICATION_PROFILES = {"ferrytests01": "anthropic.claude-haiku-4-5-20251001-v1:0"}
FAMILIES = (
    "anthropic.claude",
    "amazon.nova",
    "amazon.titan-embed-text-v1",
    "amazon.titan-embed-text-v2",
    "amazon.titan-text",
    "cohere.embed",
    "cohere.command-r",
    "meta.llama",
    "mistral.",
    "ai21.jamba",
    "deepseek.",
    "qwen.",
    "openai.gpt-oss",
)
CLAUDE = re.compile(r"anthropic\.(?P<name>claude-[a-z0-9-]+?)(?:-v\d+)?(?::\d+)?(?::\d+k)?")
# Claude 3 had its number before its family.
CLAUDE_3 = re.compile(r"claude-3(?:-(?P<minor>\d))?-(?P<family>opus|sonnet|haiku)-\d{8}")


@dataclass(frozen=True)
class Model:
    """`id` is bare: no ARN, no geography. `claude` is set for Claude alone."""

    id: str
    family: str
    claude: Claude | None = None

    @property
    def release(self) -> str:
        """Claude's own name, without Bedrock's additions."""
        named = CLAUDE.fullmatch(self.id)
        assert named is not None
        return named["name"]

    @property
    def is_nova(self) -> bool:
        return self.family == "amazon.nova"

    @property
    def embeds(self) -> bool:
        return "embed" in self.family

    @property
    def media(self) -> frozenset[str]:
        """The content blocks besides text that Converse accepts for it."""
        if self.claude:
            return frozenset({"image", "document"})
        if self.family == "amazon.nova":
            return frozenset({"image", "document", "video"})
        return frozenset({"image", "document", "video", "audio"})


def find_model(given: str) -> Model:
    """By any id or ARN; raises Refusal."""
    bare = GEOGRAPHY.sub("", _without_arn(given), count=1)
    for family in FAMILIES:
        if bare.startswith(family):
            return Model(bare, family, _claude(bare) if family == FAMILIES[0] else None)
    raise _unknown()


def _without_arn(given: str) -> str:
    arn = ARN.fullmatch(given)
    if arn is None:
        return given
    if arn["region"] != REGION or arn["account"] not in (None, ACCOUNT):
        raise _unknown()
    match arn["kind"]:
        case "foundation-model" | "inference-profile":
            return arn["id"]
        case "custom-model":
            return arn["id"].partition("/")[0]
        case "application-inference-profile" if arn["id"] in APPLICATION_PROFILES:
            return APPLICATION_PROFILES[arn["id"]]
    raise _unknown()


def _claude(bare: str) -> Claude:
    named = CLAUDE.fullmatch(bare)
    if named is None:
        raise _unknown()
    old = CLAUDE_3.fullmatch(named["name"])
    try:
        return find_claude(
            f"claude-{old['family']}-3-{old['minor'] or 0}" if old else named["name"]
        )
    except Refusal:
        raise _unknown() from None


def _unknown() -> Refusal:
    return refuse("ValidationException", "The provided model identifier is invalid.")
