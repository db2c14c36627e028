"""The fake Anthropic as an aiohttp application; its base URL is its origin."""

from aiohttp import web

from .. import control
from ..journal import Settings
from ..snapshot import install_snapshot
from . import batches, files, messages, model_list
from .backdoor import AnthropicBackdoor
from .gate import envelope_middleware, gate_middleware, name_request
from .snapshot import AnthropicSnapshot
from .store import STORE, AnthropicStore

BATCH = "/v1/messages/batches/{id}"


def anthropic_app() -> web.Application:
    """A fresh fake; its state lives as long as the application."""
    settings = Settings()
    store = AnthropicStore(settings)
    app = web.Application(
        middlewares=[control.control_middleware, envelope_middleware, gate_middleware]
    )
    app[STORE] = store
    control.install(app, AnthropicBackdoor(store), settings)
    install_snapshot(app, AnthropicSnapshot(store))
    app.on_response_prepare.append(name_request)
    app.router.add_post("/v1/files", files.create_file)
    app.router.add_get("/v1/files", files.list_files)
    app.router.add_get("/v1/files/{id}", files.get_file)
    app.router.add_delete("/v1/files/{id}", files.delete_file)
    app.router.add_get("/v1/files/{id}/content", files.get_content)
    app.router.add_post("/v1/messages", messages.create_message)
    app.router.add_post("/v1/messages/count_tokens", messages.count_tokens)
    app.router.add_post("/v1/messages/batches", batches.create_batch)
    app.router.add_get("/v1/messages/batches", batches.list_batches)
    app.router.add_get(BATCH, batches.get_batch)
    app.router.add_delete(BATCH, batches.delete_batch)
    app.router.add_post(f"{BATCH}/cancel", batches.cancel_batch)
    app.router.add_get(f"{BATCH}/results", batches.get_results)
    app.router.add_get("/v1/models", model_list.list_models)
    app.router.add_get("/v1/models/{model}", model_list.get_model)
    return app
