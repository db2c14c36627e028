"""The state object of an upload session: random bytes whose loss closes its URL for good."""

import secrets
from typing import Final

from providers.state import State, read, write

_KEY_BYTES: Final = 32


def session_object(session_id: str, name: str) -> str:
    """The name of a session's object; all of them are swept with the session."""
    return f"uploads/{session_id}/{name}"


async def create_session_key(state: State, session_id: str) -> bytes:
    key = secrets.token_bytes(_KEY_BYTES)
    await write(state, session_object(session_id, "key"), key)
    return key


async def read_session_key(state: State, session_id: str) -> bytes | None:
    return await read(state, session_object(session_id, "key"))


async def delete_session_key(state: State, session_id: str) -> None:
    await state.delete(session_object(session_id, "key"))
