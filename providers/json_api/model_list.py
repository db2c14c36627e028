"""Models of a JSON API that lists all of them in one answer, cut into pages."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from providers.credential import Caller
from providers.errors import FerryError, NotFound
from providers.json_api.client import Answer, JsonApi
from providers.json_api.page_tokens import decode_page_token, encode_page_token
from providers.json_api.path_names import check_path_name
from providers.limits import PATH_NAME
from providers.resources import Model, Page
from providers.status import Status
from providers.upstream import invalid_answer

ReadModel = Callable[[Answer], Model]

_SHOWN: Final = 120
_POSITION: Final = re.compile(rf"[!-~]{{1,{PATH_NAME}}}")


class ModelList:
    """Implements `providers.provider.Models`. `read` makes a model of the provider's object.

    The pages are in the order of the ids, and a position is the id before it: so the list may
    change between two pages.
    """

    def __init__(self, client: JsonApi, read: ReadModel) -> None:
        self._client = client
        self._read = read

    async def list(self, caller: Caller, page_size: int, page_token: str | None) -> Page[Model]:
        after = decode_page_token(page_token, _POSITION) if page_token else ""
        listed = await self._all(caller)
        behind = sorted(each for each in listed if each > after)
        token = encode_page_token(behind[page_size - 1]) if len(behind) > page_size else None
        return Page([self._read(listed[each]) for each in behind[:page_size]], token)

    async def get(self, caller: Caller, model_id: str) -> Model:
        """Some compatible servers have no call for one model, but all have the list."""
        try:
            native = await self._client.get(caller, f"models/{model_id}")
        except FerryError as error:
            if error.status not in (Status.NOT_FOUND, Status.UNIMPLEMENTED):
                raise
            found = (await self._all(caller)).get(model_id)
            if found is None:
                raise unknown_model(self._client.name, model_id, error) from None
            native = found
        return self._read(native)

    async def _all(self, caller: Caller) -> Mapping[str, Answer]:
        """By id. An id that no call could name is left out."""
        listed = await self._client.models(caller)
        return {native["id"]: native for native in listed if is_model_id(native.get("id"))}


def is_model_id(value: object) -> bool:
    """Whether other calls accept it as the name of a model."""
    if not isinstance(value, str) or not _POSITION.fullmatch(value):
        return False
    try:
        check_path_name(value, None, "model")
    except FerryError:
        return False
    return True


def model_id_of(native: Answer, member: str = "id") -> str:
    """The name of a model that the provider sent; raises UpstreamError for another value."""
    value = native[member]
    if not is_model_id(value):
        raise invalid_answer(f"the provider's answer has an invalid {member}")
    return str(value)


def unknown_model(provider: str, model_id: str, error: FerryError) -> NotFound:
    """In Google's words; `error` is the provider's refusal."""
    return NotFound(
        Status.NOT_FOUND,
        f"models/{model_id[:_SHOWN]} is not found on {provider}. Call ListModels to see the list "
        "of available models",
        provider=error.provider,
        reason=error.reason,
        request_id=error.request_id,
        upstream_status=error.upstream_status,
    )
