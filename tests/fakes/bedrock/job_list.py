"""The list of jobs: filters, order, and pages by an opaque token."""

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from multidict import MultiMapping

from .envelope import refuse
from .service_model import check, input_shape
from .store import BedrockStore, StoredJob

USUAL, MOST = 100, 1000
TIMES = ("submitTimeAfter", "submitTimeBefore")
OF_THE_PAGE = ("nextToken", "maxResults")
# In base64 these are `++//`, so a token not encoded in a URL comes back broken.
TOKEN_HEAD = b"\xfb\xef\xff"


def job_page(store: BedrockStore, query: MultiMapping[str]) -> dict[str, Any]:
    """The page that a query asks for; raises ShapeError, Refusal."""
    asked = _parse_query(query)
    rising = asked.get("sortOrder", "Descending") == "Ascending"
    filters = {name: value for name, value in query.items() if name not in OF_THE_PAGE}
    found = list(_matching(store, asked))
    found.sort(key=lambda job: job.number, reverse=not rising)
    if "nextToken" in asked:
        last = _read_token(asked["nextToken"], filters)
        found = [job for job in found if (job.number > last if rising else job.number < last)]
    limit = min(asked.get("maxResults", USUAL), store.settings.page_limit or MOST)
    page = found[:limit]
    answer: dict[str, Any] = {"invocationJobSummaries": [job.resource for job in page]}
    if len(found) > limit:
        answer["nextToken"] = _token(page[-1].number, filters)
    return answer


def _parse_query(query: MultiMapping[str]) -> dict[str, Any]:
    shape = input_shape("bedrock", "ListModelInvocationJobs")
    asked: dict[str, Any] = dict(query)
    if len(asked) != len(query):
        raise refuse("ValidationException", "A query parameter was given twice.")
    if asked.get("maxResults", "").isdecimal():
        asked["maxResults"] = int(asked["maxResults"])
    check({name: value for name, value in asked.items() if name not in TIMES}, shape)
    return asked | {name: _time(asked[name]) for name in TIMES if name in asked}


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refuse("ValidationException", f"Not a timestamp: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _matching(store: BedrockStore, asked: dict[str, Any]) -> Iterator[StoredJob]:
    for job in store.jobs.values():
        if "submitTimeAfter" in asked and job.submitted <= asked["submitTimeAfter"]:
            continue
        if "submitTimeBefore" in asked and job.submitted >= asked["submitTimeBefore"]:
            continue
        if asked.get("statusEquals", job.status) != job.status:
            continue
        if asked.get("nameContains", "") in job.asked["jobName"]:
            yield job


def _token(number: int, filters: dict[str, str]) -> str:
    text = TOKEN_HEAD + orjson.dumps([number, filters], option=orjson.OPT_SORT_KEYS)
    if len(text) % 3 == 0:
        text += b" "  # so that the base64 always ends in `=`
    return base64.b64encode(text).decode()


def _read_token(token: str, filters: dict[str, str]) -> int:
    """The number of the last job that was seen."""
    try:
        text = base64.b64decode(token, validate=True)
        number, before = orjson.loads(text.removeprefix(TOKEN_HEAD))
    except (binascii.Error, ValueError, TypeError):
        raise refuse("ValidationException", "The nextToken is not valid.") from None
    if before != filters:
        raise refuse("ValidationException", "The nextToken is that of another list.")
    return int(number)
