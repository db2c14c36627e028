"""The fake Bedrock as an aiohttp application: control plane and runtime on one address."""

from aiohttp import web
from yarl import URL

from .. import control
from ..snapshot import SNAPSHOT_SOURCE, install_snapshot
from . import catalogue, jobs, runtime
from .backdoor import BedrockBackdoor
from .gate import envelope_middleware, gate_middleware, name_request
from .job_input import Quotas
from .snapshot import BedrockSnapshot
from .store import STORE, BedrockStore

JOB = "/model-invocation-job/{id}"


def bedrock_app(
    s3: web.Application, s3_url: URL, *, min_records: int = 100, quotas: Quotas | None = None
) -> web.Application:
    """A fresh fake, which works with `s3`, an `s3_app` that listens at `s3_url`.

    The two have one control surface, reached at either: one log, one table of faults.
    """
    shared = s3[control.CONTROL]
    shared.start_with(min_records=min_records)
    store = BedrockStore(shared.settings, s3_url, quotas or Quotas())
    backdoor = BedrockBackdoor(store, shared.backdoor)
    shared.backdoor = backdoor
    app = web.Application(
        middlewares=[control.control_middleware, envelope_middleware, gate_middleware]
    )
    app[STORE] = store
    control.join(app, shared)
    install_snapshot(app, BedrockSnapshot(store, s3[SNAPSHOT_SOURCE]))
    app.on_response_prepare.append(name_request)
    app.cleanup_ctx.append(store.buckets.running)

    async def close_store(_: web.Application) -> None:
        backdoor.close()

    app.on_cleanup.append(close_store)
    app.router.add_post("/model-invocation-job", jobs.create_job)
    app.router.add_get("/model-invocation-jobs", jobs.list_jobs)
    app.router.add_get(JOB, jobs.get_job)
    app.router.add_post(f"{JOB}/stop", jobs.stop_job)
    app.router.add_get("/foundation-models", catalogue.list_models)
    app.router.add_get("/foundation-models/{id}", catalogue.get_model)
    app.router.add_get("/inference-profiles", catalogue.list_profiles)
    app.router.add_get("/inference-profiles/{id}", catalogue.get_profile)
    app.router.add_post("/model/{model}/converse", runtime.converse_now)
    app.router.add_post("/model/{model}/converse-stream", runtime.converse_streaming)
    app.router.add_post("/model/{model}/count-tokens", runtime.count_tokens)
    app.router.add_post("/model/{model}/invoke", runtime.invoke_now)
    app.router.add_post("/model/{model}/invoke-with-response-stream", runtime.invoke_streaming)
    return app
