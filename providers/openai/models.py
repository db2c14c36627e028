"""OpenAI says nothing of a model but its id, so nothing else is filled in (openai.md section 8)."""

from providers.json_api.client import Answer
from providers.json_api.model_list import model_id_of
from providers.resources import Model


def from_openai_model(native: Answer) -> Model:
    return Model(model_id_of(native))
