"""`/model-invocation-job` (bedrock.md section 2). There is no delete."""

from typing import Any

from aiohttp import web

from ..aws_keys import ACCOUNT
from .envelope import refuse
from .gate import allow_query, json_object, no_body
from .job_list import job_page
from .models import Model, find_model
from .progress import advance
from .service_model import check, input_shape
from .store import ROLE_ARN, STORE, BedrockStore, StoredJob

STOPPABLE = frozenset({"Submitted", "Validating", "Scheduled", "InProgress"})
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/of-the-tests"


async def create_job(request: web.Request) -> web.Response:
    allow_query(request)
    asked = json_object(request)
    check(asked, input_shape("bedrock", "CreateModelInvocationJob"))
    token = asked.pop("clientRequestToken", None)
    model = _check_names(asked)
    store = request.app[STORE]
    known = _repeated(store, asked, token)
    job = known if known is not None else store.add_job(asked, token, model)
    return web.json_response({"jobArn": job.resource["jobArn"]})


def _check_names(asked: dict[str, Any]) -> Model:
    """Checks the role, and returns the model."""
    if asked["roleArn"] != ROLE_ARN:
        raise refuse(
            "AccessDeniedException",
            f"User: {USER_ARN} is not authorized to perform: iam:PassRole on resource: "
            f"{asked['roleArn']} because no identity-based policy allows the iam:PassRole action",
        )
    model = find_model(asked["modelId"])
    if model.embeds and asked.get("modelInvocationType") == "Converse":
        raise refuse("ValidationException", "The model does not support the Converse API.")
    return model


def _repeated(store: BedrockStore, asked: dict[str, Any], token: str | None) -> StoredJob | None:
    """The job that the same request created before; raises Refusal for a different request."""
    known = store.made_with(token)
    if known is not None and known.asked != asked:
        message = "The client request token was used before with other parameters."
        raise refuse("ConflictException", message)
    if known is None and store.named(asked["jobName"]) is not None:
        raise refuse("ConflictException", f"There is a job named {asked['jobName']} already.")
    return known


def _job(request: web.Request, operation: str) -> StoredJob:
    identifier = request.match_info["id"]
    check({"jobIdentifier": identifier}, input_shape("bedrock", operation))
    return request.app[STORE].job(identifier)


async def get_job(request: web.Request) -> web.Response:
    allow_query(request)
    no_body(request)
    store, job = request.app[STORE], _job(request, "GetModelInvocationJob")
    async with job.lock:
        if store.settings.auto_advance:
            await advance(store, job)
        return web.json_response(job.resource)


async def list_jobs(request: web.Request) -> web.Response:
    no_body(request)
    return web.json_response(job_page(request.app[STORE], request.query))


async def stop_job(request: web.Request) -> web.Response:
    allow_query(request)
    no_body(request)
    job = _job(request, "StopModelInvocationJob")
    async with job.lock:
        if job.status not in STOPPABLE:
            message = f"A job with the status {job.status} cannot be stopped."
            raise refuse("ConflictException", message)
        job.resource["status"] = "Stopping"
    return web.json_response({})
