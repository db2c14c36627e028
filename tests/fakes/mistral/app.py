"""The fake Mistral as an aiohttp application; its base URL ends in /v1."""

from aiohttp import web

from .. import control
from ..journal import Settings
from ..snapshot import install_snapshot
from . import files, jobs, models, prompts
from .backdoor import MistralBackdoor
from .gate import envelope_middleware, gate_middleware, name_request
from .snapshot import MistralSnapshot
from .store import STORE, MistralStore


def mistral_app() -> web.Application:
    """A fresh fake; its state lives as long as the application."""
    settings = Settings()
    store = MistralStore(settings)
    app = web.Application(
        middlewares=[control.control_middleware, envelope_middleware, gate_middleware]
    )
    app[STORE] = store
    control.install(app, MistralBackdoor(store), settings)
    install_snapshot(app, MistralSnapshot(store))
    app.on_response_prepare.append(name_request)
    app.router.add_post("/v1/files", files.create_file)
    app.router.add_get("/v1/files", files.list_files)
    app.router.add_get("/v1/files/{id}", files.get_file)
    app.router.add_delete("/v1/files/{id}", files.delete_file)
    app.router.add_get("/v1/files/{id}/content", files.get_content)
    app.router.add_post("/v1/batch/jobs", jobs.create_job)
    app.router.add_get("/v1/batch/jobs", jobs.list_jobs)
    app.router.add_get("/v1/batch/jobs/{id}", jobs.get_job)
    app.router.add_delete("/v1/batch/jobs/{id}", jobs.delete_job)
    app.router.add_post("/v1/batch/jobs/{id}/cancel", jobs.cancel_job)
    app.router.add_post("/v1/chat/completions", prompts.create)
    app.router.add_post("/v1/embeddings", prompts.create)
    app.router.add_get("/v1/models", models.list_models)
    app.router.add_get("/v1/models/{model}", models.get_model)
    return app
