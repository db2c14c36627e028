"""The fake OpenAI as an aiohttp application; its base URL ends in /v1."""

from aiohttp import web

from .. import control
from ..journal import Settings
from ..snapshot import install_snapshot
from . import batches, files, models, prompts, uploads
from .backdoor import OpenAIBackdoor
from .gate import envelope_middleware, gate_middleware, name_request
from .snapshot import OpenAISnapshot
from .store import STORE, OpenAIStore


def openai_app() -> web.Application:
    """A fresh fake; its state lives as long as the application."""
    app = completions_app()
    install_snapshot(app, OpenAISnapshot(app[STORE]))
    app.router.add_post("/v1/files", files.create_file)
    app.router.add_get("/v1/files", files.list_files)
    app.router.add_get("/v1/files/{id}", files.get_file)
    app.router.add_delete("/v1/files/{id}", files.delete_file)
    app.router.add_get("/v1/files/{id}/content", files.get_content)
    app.router.add_post("/v1/uploads", uploads.create_upload)
    app.router.add_post("/v1/uploads/{id}/parts", uploads.add_part)
    app.router.add_post("/v1/uploads/{id}/complete", uploads.complete_upload)
    app.router.add_post("/v1/uploads/{id}/cancel", uploads.cancel_upload)
    app.router.add_post("/v1/batches", batches.create_batch)
    app.router.add_get("/v1/batches", batches.list_batches)
    app.router.add_get("/v1/batches/{id}", batches.get_batch)
    app.router.add_post("/v1/batches/{id}/cancel", batches.cancel_batch)
    app.router.add_post(prompts.RESPONSES, prompts.create)
    app.router.add_post("/v1/responses/input_tokens", prompts.count)
    app.router.add_get("/v1/models/{model}", models.get_model)
    return app


def completions_app() -> web.Application:
    """A compatible server that only answers single requests, and lists its models."""
    settings = Settings()
    store = OpenAIStore(settings)
    app = web.Application(
        middlewares=[control.control_middleware, envelope_middleware, gate_middleware]
    )
    app[STORE] = store
    control.install(app, OpenAIBackdoor(store), settings)
    app.on_response_prepare.append(name_request)
    app.router.add_post("/v1/chat/completions", prompts.create)
    app.router.add_post("/v1/embeddings", prompts.create)
    app.router.add_get("/v1/models", models.list_models)
    return app
