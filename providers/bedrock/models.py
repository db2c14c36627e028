"""Models on Bedrock (bedrock.md section 8): foundation models, and inference profiles."""

import re
from collections.abc import Sequence
from typing import Final

from providers.aws.client import AwsClient
from providers.aws.signing import encode_segment
from providers.aws.target import AwsTarget, AwsTargets
from providers.bedrock.pages import PageStart, page_start_of
from providers.credential import Caller
from providers.errors import FerryError, NotFound
from providers.json_api.answer_shape import list_or_nothing, text_or_none
from providers.json_api.client import Answer
from providers.json_api.model_list import is_model_id, model_id_of, unknown_model
from providers.json_api.page_tokens import encode_page_token, leading_on
from providers.resources import Action, Model, Page
from providers.upstream import invalid_answer

_MODELS: Final = "/foundation-models"
_PROFILES: Final = "/inference-profiles"
_PROFILES_PER_PAGE: Final = "1000"
# What comes before AWS's token of a page of profiles. A page without it has the models.
_OF_PROFILES: Final = "="
_PROFILE_ARN: Final = re.compile(r"arn:[^/]*:(?:application-)?inference-profile/.*")
_MODEL_ARN: Final = re.compile(r"arn:[^/]*:foundation-model/(.+)")
_APPLICATION: Final = "APPLICATION"


class BedrockModels:
    """Implements `providers.provider.Models`. The models come first in the list, then profiles."""

    def __init__(self, client: AwsClient, targets: AwsTargets) -> None:
        self._client = client
        self._targets = targets

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Model]:
        """A position is an id, in hexadecimal, and the page of AWS that it is on."""
        target = await self._targets.of(caller)
        start = position = page_start_of(page_token)
        token, after = start.token, start.after
        foundation = await self._foundation_models(target)
        items: list[Model] = []
        while True:
            models, following = await self._page(target, token, foundation)
            for model in sorted(models, key=lambda each: each.id):
                place = model.id.encode().hex()
                if place <= after:
                    continue
                if len(items) == page_size:
                    return Page(items, encode_page_token(str(position)))
                items.append(model)
                position = PageStart(place, token)
            if following is None:
                return Page(items)
            token, after = following, ""

    async def get(self, caller: Caller, model_id: str) -> Model:
        target = await self._targets.of(caller)
        try:
            if _PROFILE_ARN.fullmatch(model_id):
                return await self._profile(target, model_id)
            try:
                return from_foundation_model(await self._foundation_model(target, model_id))
            except FerryError as error:
                if not _is_unknown(error):
                    raise
            return await self._profile(target, model_id)
        except FerryError as error:
            if not _is_unknown(error):
                raise
            raise unknown_model(self._client.name, model_id, error) from None

    # --- calls ---

    async def _page(
        self, target: AwsTarget, token: str | None, models: Sequence[Answer]
    ) -> tuple[Sequence[Model], str | None]:
        """The first page has the models that are called by their ids, the others have profiles."""
        if token is None:
            called = [
                from_foundation_model(each)
                for each in models
                if is_model_id(each.get("modelId")) and _is_called_by_its_id(each)
            ]
            return called, _OF_PROFILES
        profiles, following = await self._profiles(target, token.removeprefix(_OF_PROFILES))
        token = None if following is None else f"{_OF_PROFILES}{following}"
        named = [each for each in profiles if is_model_id(each.get(_named_by(each)))]
        return [from_profile(each, models) for each in named], token

    async def _foundation_models(self, target: AwsTarget) -> Sequence[Answer]:
        """The list has no pages."""
        answer = await self._client.json(target, "GET", _MODELS)
        return _objects(answer, "modelSummaries")

    async def _foundation_model(self, target: AwsTarget, model_id: str) -> Answer:
        path = f"{_MODELS}/{encode_segment(model_id)}"
        return (await self._client.json(target, "GET", path)).part("modelDetails")

    async def _profiles(self, target: AwsTarget, token: str) -> tuple[Sequence[Answer], str | None]:
        query = {"maxResults": _PROFILES_PER_PAGE, **({"nextToken": token} if token else {})}
        page = await self._client.json(target, "GET", _PROFILES, **query)
        following = text_or_none(page.get("nextToken")) or None
        profiles = _objects(page, "inferenceProfileSummaries")
        return profiles, leading_on(self._client.name, token, following)

    async def _profile(self, target: AwsTarget, profile_id: str) -> Model:
        path = f"{_PROFILES}/{encode_segment(profile_id)}"
        profile = await self._client.json(target, "GET", path)
        return from_profile(profile, await self._foundation_models(target))


def from_foundation_model(native: Answer) -> Model:
    """A model that is not called by its own id has no actions."""
    return Model(
        model_id_of(native, "modelId"),
        display_name=text_or_none(native.get("modelName")),
        actions=_actions(native) if _is_called_by_its_id(native) else (),
    )


def from_profile(native: Answer, models: Sequence[Answer]) -> Model:
    """A profile does what its model among `models` does."""
    arns = [str(each.get("modelArn")) for each in _objects(native, "models")]
    ids = [found[1] for arn in arns if (found := _MODEL_ARN.fullmatch(arn))]
    model = next((each for each in models if each.get("modelId") in ids), None)
    return Model(
        model_id_of(native, _named_by(native)),
        display_name=text_or_none(native.get("inferenceProfileName")),
        description=text_or_none(native.get("description")),
        actions=None if model is None else _actions(model),
    )


def _named_by(profile: Answer) -> str:
    """Calls take application profiles by ARN."""
    return f"inferenceProfile{'Arn' if profile.get('type') == _APPLICATION else 'Id'}"


def _actions(native: Answer) -> Sequence[Action]:
    """By the modality of its answers."""
    written = list_or_nothing(native.get("outputModalities"))
    actions = []
    if "TEXT" in written:
        actions.append(Action.GENERATE)
        if native.get("responseStreamingSupported") is True:
            actions.append(Action.STREAM)
    if "EMBEDDING" in written:
        actions.append(Action.EMBED)
    return actions


def _is_called_by_its_id(native: Answer) -> bool:
    """Others are called by an inference profile, or after capacity was bought."""
    types = list_or_nothing(native.get("inferenceTypesSupported"))
    return not types or "ON_DEMAND" in types


def _objects(answer: Answer, member: str) -> Sequence[Answer]:
    listed = answer.get(member) or []
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise invalid_answer(f"the provider's answer has no list of objects at {member!r}")
    return [Answer(each) for each in listed]


def _is_unknown(error: FerryError) -> bool:
    """Bedrock refuses an id of another form as invalid."""
    return isinstance(error, NotFound) or error.reason == "ValidationException"
