"""Models at Anthropic (anthropic.md section 7)."""

from providers.anthropic.client import CURSOR, listed_page
from providers.credential import Caller
from providers.errors import NotFound
from providers.json_api.answer_shape import (
    count_or_none,
    object_or_nothing,
    text_or_none,
)
from providers.json_api.client import Answer, JsonApi
from providers.json_api.model_list import is_model_id, model_id_of, unknown_model
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.resources import Action, Model, Page

_PATH = "v1/models"
# Every model answers Messages, whole and as a stream, and its tokens can be counted.
_ALL_HAVE = (Action.GENERATE, Action.STREAM, Action.COUNT)


class AnthropicModels:
    """Implements `providers.provider.Models`."""

    def __init__(self, client: JsonApi) -> None:
        self._client = client

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Model]:
        cursor = decode_page_token(page_token, CURSOR) if page_token else None
        listed, following = await listed_page(self._client, caller, _PATH, page_size, cursor)
        token = encode_page_token(following) if following else None
        models = [from_anthropic_model(each) for each in listed if is_model_id(each.get("id"))]
        return Page(models, token)

    async def get(self, caller: Caller, model_id: str) -> Model:
        """The answer to an alias has the id of the model."""
        try:
            return from_anthropic_model(await self._client.get(caller, f"{_PATH}/{model_id}"))
        except NotFound as error:
            raise unknown_model(self._client.name, model_id, error) from None


def from_anthropic_model(native: Answer) -> Model:
    can = object_or_nothing(native.get("capabilities"))
    batches = [Action.BATCH] if _is_supported(can.get("batch")) else []
    return Model(
        model_id_of(native),
        display_name=text_or_none(native.get("display_name")),
        input_token_limit=count_or_none(native.get("max_input_tokens")),
        output_token_limit=count_or_none(native.get("max_tokens")),
        actions=[*_ALL_HAVE, *batches],
        thinking=_is_supported(can.get("thinking")),
    )


def _is_supported(capability: object) -> bool | None:
    """None if the provider does not say."""
    supported = object_or_nothing(capability).get("supported")
    return supported if isinstance(supported, bool) else None
