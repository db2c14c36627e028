"""Models at Mistral (mistral.md section 7)."""

from providers.json_api.answer_shape import (
    count_or_none,
    number_or_none,
    object_or_nothing,
    text_or_none,
)
from providers.json_api.client import Answer
from providers.json_api.model_list import model_id_of
from providers.resources import Action, Model


def from_mistral_model(native: Answer) -> Model:
    """No capability stands for embeddings: what a model does that does not chat is unknown."""
    chats = object_or_nothing(native.get("capabilities")).get("completion_chat") is True
    return Model(
        model_id_of(native),
        display_name=text_or_none(native.get("name")),
        description=text_or_none(native.get("description")),
        input_token_limit=count_or_none(native.get("max_context_length")),
        actions=(Action.GENERATE, Action.STREAM) if chats else None,
        temperature=number_or_none(native.get("default_model_temperature")),
    )
