"""`/foundation-models` and `/inference-profiles` (bedrock.md section 8): a few of each.

The answers fit botocore's shapes, except that a model called only by a profile has the inference
type INFERENCE_PROFILE, which botocore does not list. Unverified: that such a model has no other.
"""

import base64
import binascii
from typing import Any

from aiohttp import web

from ..aws_keys import ACCOUNT, REGION
from .envelope import now, refuse, timestamp
from .gate import allow_query, no_body
from .models import APPLICATION_PROFILES
from .service_model import check, input_shape
from .store import STORE

CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
OPUS = "anthropic.claude-opus-4-7-20260401-v1:0"
TEXT, EMBEDDING = ["TEXT"], ["EMBEDDING"]
# Ids with their names, and what they answer with.
ON_DEMAND = {
    CLAUDE: ("Claude Haiku 4.5", TEXT),
    "amazon.nova-lite-v1:0": ("Nova Lite", TEXT),
    "amazon.titan-embed-text-v2:0": ("Titan Embeddings V2", EMBEDDING),
    "amazon.titan-image-generator-v2:0": ("Titan Image G1 v2", ["IMAGE"]),
    "meta.llama3-8b-instruct-v1:0": ("Llama 3 8B Instruct", TEXT),
}
BY_PROFILE = {OPUS: ("Claude Opus 4.7", TEXT)}
MODELS = {**ON_DEMAND, **BY_PROFILE}
# Ids with the ids of their models.
PROFILES = {
    f"us.{CLAUDE}": CLAUDE,
    f"us.{OPUS}": OPUS,
    "us.amazon.nova-lite-v1:0": "amazon.nova-lite-v1:0",
}
USUAL, MOST = 100, 1000
# In base64 these are `++//`, so a token not encoded in a URL comes back broken.
TOKEN_HEAD = b"\xfb\xef\xff"


async def list_models(request: web.Request) -> web.Response:
    allow_query(request)
    no_body(request)
    return web.json_response({"modelSummaries": [_model(model_id) for model_id in MODELS]})


async def get_model(request: web.Request) -> web.Response:
    allow_query(request)
    no_body(request)
    given = request.match_info["id"]
    check({"modelIdentifier": given}, input_shape("bedrock", "GetFoundationModel"))
    model_id = given.removeprefix(_model_arn(""))
    if model_id not in MODELS:
        raise refuse("ResourceNotFoundException", "Could not resolve the foundation model.")
    return web.json_response({"modelDetails": _model(model_id)})


async def list_profiles(request: web.Request) -> web.Response:
    allow_query(request, "maxResults", "nextToken")
    no_body(request)
    asked: dict[str, Any] = dict(request.query)
    if asked.get("maxResults", "").isdecimal():
        asked["maxResults"] = int(asked["maxResults"])
    check(asked, input_shape("bedrock", "ListInferenceProfiles"))
    page_limit = request.app[STORE].settings.page_limit or MOST
    limit = min(asked.get("maxResults", USUAL), page_limit)
    begin = _read_token(asked["nextToken"]) if "nextToken" in asked else 0
    every = [*PROFILES, *APPLICATION_PROFILES]
    answer: dict[str, Any] = {
        "inferenceProfileSummaries": [_profile(each) for each in every[begin : begin + limit]]
    }
    if begin + limit < len(every):
        answer["nextToken"] = _token(begin + limit)
    return web.json_response(answer)


async def get_profile(request: web.Request) -> web.Response:
    allow_query(request)
    no_body(request)
    given = request.match_info["id"]
    check({"inferenceProfileIdentifier": given}, input_shape("bedrock", "GetInferenceProfile"))
    for profile_id in (*PROFILES, *APPLICATION_PROFILES):
        profile = _profile(profile_id)
        if given in (profile_id, profile["inferenceProfileArn"]):
            return web.json_response(profile)
    raise refuse("ResourceNotFoundException", "Could not find the inference profile.")


def _model(model_id: str) -> dict[str, Any]:
    name, modalities = MODELS[model_id]
    types = ["INFERENCE_PROFILE"] if model_id in BY_PROFILE else ["ON_DEMAND"]
    return {
        "modelArn": _model_arn(model_id),
        "modelId": model_id,
        "modelName": name,
        "providerName": model_id.partition(".")[0].capitalize(),
        "inputModalities": ["TEXT"],
        "outputModalities": modalities,
        "responseStreamingSupported": modalities == TEXT,
        "customizationsSupported": [],
        "inferenceTypesSupported": types,
        "modelLifecycle": {"status": "ACTIVE"},
    }


def _profile(profile_id: str) -> dict[str, Any]:
    of_account = profile_id in APPLICATION_PROFILES
    kind = "application-inference-profile" if of_account else "inference-profile"
    model_id = APPLICATION_PROFILES[profile_id] if of_account else PROFILES[profile_id]
    at = timestamp(now())
    return {
        "inferenceProfileName": "ferry tests" if of_account else f"US {MODELS[model_id][0]}"[:64],
        "description": "Routes requests to the models of two regions.",
        "createdAt": at,
        "updatedAt": at,
        "inferenceProfileArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:{kind}/{profile_id}",
        "models": [
            {"modelArn": _model_arn(model_id)},
            {"modelArn": _model_arn(model_id, "us-west-2")},
        ],
        "inferenceProfileId": profile_id,
        "status": "ACTIVE",
        "type": "APPLICATION" if of_account else "SYSTEM_DEFINED",
    }


def _model_arn(model_id: str, region: str = REGION) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


def _token(begin: int) -> str:
    return base64.b64encode(TOKEN_HEAD + f"{begin:04}".encode()).decode()


def _read_token(token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True).removeprefix(TOKEN_HEAD))
    except (binascii.Error, ValueError):
        raise refuse("ValidationException", "The nextToken is not valid.") from None
