"""Runs google-genai for the end-to-end tests; `sdk_process.py` describes the protocol.

It runs under two releases of the SDK, each in a virtual environment of its own, and so imports
nothing beside the SDK. `FERRY_MODE` chooses `client` (`sync`) or `client.aio` (`async`).
"""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google import genai
from google.genai import errors, types

from tests.end_to_end import python_prompts
from tests.end_to_end.pattern import pattern_bytes
from tests.end_to_end.python_prompts import plain, settled

Args = dict[str, Any]
Call = Callable[[Any, Args], Any]


async def main() -> None:
    client = genai.Client(
        api_key=os.environ["FERRY_API_KEY"],
        http_options=types.HttpOptions(
            base_url=os.environ["FERRY_BASE_URL"],
            headers=json.loads(os.environ["FERRY_HEADERS"]),
        ),
    )
    async with client.aio as asynchronous:
        surface = asynchronous if os.environ.get("FERRY_MODE") == "async" else client
        while line := await asyncio.to_thread(sys.stdin.readline):
            sys.stdout.write(json.dumps(await answer(surface, json.loads(line))) + "\n")
            sys.stdout.flush()


async def answer(client: Any, command: Args) -> Args:
    try:
        return {"id": command["id"], "ok": await CALLS[command["call"]](client, command["args"])}
    except errors.APIError as error:
        known = {"code": error.code, "status": error.status, "message": error.message}
        return {"id": command["id"], "error": {"name": type(error).__name__, **known}}
    except Exception as error:  # the test gets every exception of the SDK
        known = {"code": None, "status": None, "message": str(error)}
        return {"id": command["id"], "error": {"name": type(error).__name__, **known}}


# --- calls ---------------------------------------------------------------------------------------


async def upload(client: Any, args: Args) -> Any:
    file = args["path"] if "path" in args else io.BytesIO(pattern_bytes(args["size"]))
    config = types.UploadFileConfig(
        mime_type=args.get("mime_type"), display_name=args.get("display_name")
    )
    return plain(await settled(client.files.upload(file=file, config=config)))


async def list_files(client: Any, args: Args) -> Any:
    return await every_page(await settled(client.files.list(config=paging(args))))


async def list_batches(client: Any, args: Args) -> Any:
    return await every_page(await settled(client.batches.list(config=paging(args))))


async def list_models(client: Any, args: Args) -> Any:
    return await every_page(await settled(client.models.list(config=paging(args))))


async def get_model(client: Any, args: Args) -> Any:
    return plain(await settled(client.models.get(model=args["name"])))


async def download(client: Any, args: Args) -> Any:
    file = args["name"] if "name" in args else types.File.model_validate(args["file"])
    await settled(client.files.download(file=file, destination=args["path"]))
    return {"size": Path(args["path"]).stat().st_size}


async def upload_to_store(client: Any, args: Args) -> Any:
    stores = client.file_search_stores
    store = await settled(stores.create())
    begun = await settled(
        stores.upload_to_file_search_store(
            file_search_store_name=store.name,
            file=args["path"],
            config={"mime_type": args["mime_type"], "display_name": args["display_name"]},
        )
    )
    ended = await settled(client.operations.get(begun))
    return plain(await settled(stores.documents.get(name=ended.response.document_name)))


async def create_batch(client: Any, args: Args) -> Any:
    return plain(await settled(client.batches.create(**args)))


async def create_embeddings(client: Any, args: Args) -> Any:
    return plain(await settled(client.batches.create_embeddings(**args)))


async def embed(client: Any, args: Args) -> Any:
    return plain(await settled(client.models.embed_content(**args)))


def by_name(resource: str, method: str) -> Call:
    async def call(client: Any, args: Args) -> Any:
        surface = getattr(client, resource)
        result = await settled(getattr(surface, method)(name=args["name"]))
        return None if result is None else plain(result)

    return call


CALLS: dict[str, Call] = {
    "files.upload": upload,
    "files.list": list_files,
    "files.get": by_name("files", "get"),
    "files.delete": by_name("files", "delete"),
    "files.download": download,
    "file_search_stores.upload": upload_to_store,
    "models.list": list_models,
    "models.get": get_model,
    "models.count": python_prompts.count_tokens,
    "models.generate": python_prompts.generate,
    "models.stream": python_prompts.stream,
    "models.stream_and_leave": python_prompts.stream_and_leave,
    "chats.talk": python_prompts.talk,
    "models.embed": embed,
    "batches.create": create_batch,
    "batches.create_embeddings": create_embeddings,
    "batches.list": list_batches,
    "batches.get": by_name("batches", "get"),
    "batches.cancel": by_name("batches", "cancel"),
    "batches.delete": by_name("batches", "delete"),
}


# --- one shape for both modes --------------------------------------------------------------------


def paging(args: Args) -> Args:
    return {"page_size": args["page_size"]} if "page_size" in args else {}


async def every_page(pager: Any) -> Args:
    items: list[Any] = []
    pages = 0
    while True:
        pages += 1
        items += map(plain, pager.page)
        try:
            await settled(pager.next_page())
        except IndexError:  # how a pager signals the last page
            return {"items": items, "pages": pages}


if __name__ == "__main__":
    asyncio.run(main())
