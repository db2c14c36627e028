"""The key of an upload session: random bytes; without them its URL can never be used again."""

import secrets
from typing import Final

from providers.state import State, read, write
from providers.stored_objects import UPLOADS

_KEY_BYTES: Final = 32


def session_object(session_id: str, name: str) -> str:
    """The name of an object of a session; the sweep removes all of them with the session."""
    return UPLOADS.name(session_id, name)


async def create_session_key(state: State, session_id: str) -> bytes:
    key = secrets.token_bytes(_KEY_BYTES)
    await write(state, session_object(session_id, "key"), key)
    return key


async def read_session_key(state: State, session_id: str) -> bytes | None:
    return await read(state, session_object(session_id, "key"))


async def delete_session_key(state: State, session_id: str) -> None:
    await state.delete(session_object(session_id, "key"))
