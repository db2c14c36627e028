"""The fake Gemini as an aiohttp application."""

from aiohttp import web

from .. import control
from ..journal import Settings
from ..snapshot import install_snapshot
from . import batches, file_search, files, models
from .backdoor import GeminiBackdoor
from .gate import envelope_middleware, gate_middleware
from .resumable import resume
from .snapshot import GeminiSnapshot
from .start import upload
from .store import STORE, GeminiStore

V = "/{v:v1|v1beta|v1alpha}"
SEARCH_STORE = f"{V}/fileSearchStores/{{store:[^/:]+}}"
FILE, BATCH, MODEL = (
    f"{V}/files/{{id:[^/:]+}}",
    f"{V}/batches/{{id:[^/:]+}}",
    f"{V}/models/{{model}}",
)


def gemini_app() -> web.Application:
    """A fresh fake; its state lives as long as the application."""
    settings = Settings()
    store = GeminiStore(settings)
    app = web.Application(
        middlewares=[control.control_middleware, envelope_middleware, gate_middleware]
    )
    app[STORE] = store
    control.install(app, GeminiBackdoor(store), settings)
    install_snapshot(app, GeminiSnapshot(store))
    app.router.add_post(f"/upload{V}/files", upload)
    app.router.add_put(f"/upload{V}/files", resume)
    app.router.add_get(f"{V}/files", files.list_files)
    app.router.add_post(f"{V}/files:register", files.register_files)
    app.router.add_get(FILE, files.get_file)
    app.router.add_delete(FILE, files.delete_file)
    app.router.add_get(f"{FILE}:download", files.download_file)
    app.router.add_get(f"/download{FILE}:download", files.download_file)
    app.router.add_post(f"{MODEL}:batchGenerateContent", batches.create_generate)
    app.router.add_post(f"{MODEL}:asyncBatchEmbedContent", batches.create_embed)
    app.router.add_post(f"{MODEL}:generateContent", models.generate_content)
    app.router.add_post(f"{MODEL}:streamGenerateContent", models.stream_generate_content)
    app.router.add_post(f"{MODEL}:countTokens", models.count_tokens)
    app.router.add_post(f"{MODEL}:embedContent", models.embed_content)
    app.router.add_post(f"{MODEL}:batchEmbedContents", models.batch_embed_contents)
    app.router.add_get(f"{V}/models", models.list_models)
    app.router.add_get(MODEL, models.get_model)
    app.router.add_get(f"{V}/batches", batches.list_batches)
    app.router.add_get(BATCH, batches.get_batch)
    app.router.add_delete(BATCH, batches.delete_batch)
    app.router.add_post(f"{BATCH}:cancel", batches.cancel_batch)
    app.router.add_post(f"{V}/fileSearchStores", file_search.create_store)
    upload_path = f"/upload{SEARCH_STORE}:uploadToFileSearchStore"
    app.router.add_post(upload_path, file_search.upload_to_store)
    app.router.add_put(upload_path, resume)
    operation = f"{SEARCH_STORE}/upload/operations/{{operation}}"
    app.router.add_get(operation, file_search.get_operation)
    app.router.add_get(f"{SEARCH_STORE}/documents/{{document}}", file_search.get_document)
    return app
