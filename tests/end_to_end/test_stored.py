"""This version reads what earlier versions stored: each record in `tests/stored`, opened.

The proxy starts on a copy of the recorded state, before upstreams that hold what they held then,
and clients go on with the names and the URLs that they had.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from tests.end_to_end.batch_client import (
    BatchClient,
    Document,
    by_key,
    from_file,
    text_of,
)
from tests.end_to_end.fake_client import KINDS, FakeClient
from tests.processes import proxy
from tests.stored.directory import RecordedDirectory
from tests.stored.open_content import FIRST_CHUNK, content
from tests.stored.recorder import BATCH_INPUT, DISPLAY_NAME, KEPT_KEY, KEPT_MEMBERS, REQUEST_KEYS
from tests.stored.scene import (
    ANN,
    BOB,
    ENVIRONMENT,
    IMMEDIATE,
    OWN_GOOGLE_KEY,
    OWN_KEY,
    Scene,
    upstreams,
)

pytestmark = [pytest.mark.end_to_end, pytest.mark.asyncio(loop_scope="session")]

RECORDS: Final = sorted((Path(__file__).parent.parent / "stored").glob("v[0-9]*"))
KEYS: Final = [key for kind in KINDS.values() for key in kind.secrets]
SECRETS: Final = [ANN, BOB, OWN_KEY, OWN_GOOGLE_KEY, *KEYS]
OTHER_JOB: Final = "0therj0b0000"
ABSENT: Final = (404, "NOT_FOUND")
# google.rpc.Code of NOT_FOUND
NONE_LEFT: Final = dict.fromkeys(REQUEST_KEYS, 5)
ANSWERS: Final = [(key, f"echo: question {key}") for key in REQUEST_KEYS]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=RECORDS, ids=lambda p: p.name)
async def recorded(request: pytest.FixtureRequest) -> RecordedDirectory:
    return RecordedDirectory(request.param)


@pytest.fixture(scope="module")
def clients(recorded: RecordedDirectory) -> Document:
    """What the clients had."""
    return recorded.clients()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(
    recorded: RecordedDirectory,
    fakes: Mapping[str, FakeClient],
    http: ClientSession,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Scene]:
    """A proxy on the recorded state, shared by all tests: changes by one remain for the next."""
    state = tmp_path_factory.mktemp("stored") / "state"
    recorded.copy_state(state)
    await recorded.restore(fakes)
    async with proxy(state, upstreams(fakes), ENVIRONMENT) as process:
        yield Scene(f"{process.url}/genai", fakes, http)
    assert not [secret for secret in SECRETS if secret in process.output]


async def test_there_is_a_record() -> None:
    assert RECORDS


async def test_a_batch_with_the_proxys_own_credential_continues_by_itself(scene: Scene) -> None:
    """The first test, so no client has asked for the batch yet."""
    await scene.fakes["bedrock"].ended(1, path="/converse$", outcome="answered")


# --- files and uploads ---------------------------------------------------------------------------


async def test_files_have_their_names_and_contents(scene: Scene, clients: Document) -> None:
    for each in clients["files"]:
        file = each["file"]
        batches = scene.batches(each["client"])
        found = (await batches.call("GET", f"v1beta/{file['name']}")).ok
        members = ("name", "displayName", "mimeType", "sizeBytes")
        assert [found[member] for member in members] == [file[member] for member in members]
        assert file["name"] in await _listed(batches, "files")
        assert await _digest(scene, each["client"], file) == each["sha256"]


async def test_the_url_of_a_finished_upload_answers_the_same_file(
    scene: Scene, clients: Document
) -> None:
    for each in (each for each in clients["files"] if each["url"] is not None):
        answer = await scene.uploads(each["client"]).command(scene.moved(each["url"]), "query")
        assert answer.file["name"] == each["file"]["name"]
        assert answer.file["displayName"] == each["file"]["displayName"]


async def test_an_open_upload_continues_through_its_url(scene: Scene, clients: Document) -> None:
    whole = content()
    for each in clients["open_uploads"]:
        uploads, url = scene.uploads(each["client"]), scene.moved(each["url"])
        answer = await uploads.command(url, "query")
        assert answer.headers["X-Goog-Upload-Size-Received"] == str(FIRST_CHUNK)
        answer = await uploads.send(url, FIRST_CHUNK, whole[FIRST_CHUNK:], finalize=True)
        digest = await _digest(scene, each["client"], answer.file)
        assert digest == hashlib.sha256(whole).hexdigest()
        assert answer.file["displayName"] == DISPLAY_NAME


async def _digest(scene: Scene, client: str, file: Document) -> str:
    """The SHA-256 of a file's content, from the upstream if clients cannot read the file."""
    if client != "bedrock" and file["mimeType"] != BATCH_INPUT:
        return await scene.fake(client).sha256(file["name"])
    batches = scene.batches(client)
    answer = await batches.call("GET", f"v1beta/{file['name']}:download?alt=media")
    assert answer.code == 200, answer.content
    return hashlib.sha256(answer.content).hexdigest()


async def test_a_cancelled_upload_stays_cancelled(scene: Scene, clients: Document) -> None:
    for each in clients["cancelled_uploads"]:
        answer = await scene.uploads(each["client"]).command(scene.moved(each["url"]), "query")
        assert answer.error == (400, "FAILED_PRECONDITION", "cancelled")


# --- batches -------------------------------------------------------------------------------------


async def test_batches_have_their_names_warnings_and_results(
    scene: Scene, clients: Document
) -> None:
    """Batches that had ended, and batches that ran when they were recorded."""
    await asyncio.gather(*(_check_batch(scene, each) for each in clients["batches"]))


async def _check_batch(scene: Scene, each: Document) -> None:
    batches = scene.batches(each["client"])
    batch = await batches.ended_by_itself(each["name"])
    assert batch["metadata"]["state"] == "BATCH_STATE_SUCCEEDED", each
    kept = {member: batch["metadata"].get(member) for member in KEPT_MEMBERS}
    assert kept == each["kept"]
    results = await batches.results(batch)
    if each["source"] == "inline":
        assert [(one["metadata"]["key"], text_of(one)) for one in results] == ANSWERS
    else:
        _check_lines(each, by_key(results))
    if each["results"] is not None and not each.get("archived"):
        assert by_key(await batches.download(each["results"])).keys() == set(REQUEST_KEYS)


def _check_lines(each: Document, keyed: Mapping[str, Document]) -> None:
    """Each key has its result: an answer, unless the provider no longer has it."""
    if each.get("archived"):
        assert {key: line["error"]["code"] for key, line in keyed.items()} == NONE_LEFT
    elif each["source"] == "embed":
        assert {key for key, line in keyed.items() if line["response"]} == set(REQUEST_KEYS)
    else:
        assert {key: text_of(line) for key, line in keyed.items()} == dict(ANSWERS)


async def test_a_recorded_answer_is_not_requested_again(scene: Scene, clients: Document) -> None:
    """Each batch that the proxy ran itself had one request without an answer."""
    interrupted = [
        each for each in clients["batches"] if each["client"] in IMMEDIATE and not each["ended"]
    ]
    assert {each["client"] for each in interrupted} == set(IMMEDIATE)
    for each in interrupted:
        await scene.batches(each["client"]).ended_by_itself(each["name"])
    calls = await scene.fakes["bedrock"].requests(path="/converse$")
    assert len(calls) == len(interrupted)


async def test_a_staged_batch_input_can_be_used(scene: Scene, clients: Document) -> None:
    [file] = [each["file"] for each in clients["files"] if each["file"]["mimeType"] == BATCH_INPUT]
    answer = await scene.batches("anthropic").create(from_file(file["name"]))
    results = await scene.batches("anthropic").results(
        await scene.batches("anthropic").ended(answer.ok["name"])
    )
    assert by_key(results).keys() == {KEPT_KEY}


async def test_another_job_of_the_same_name_at_bedrock_gets_no_record_of_ours(
    scene: Scene, clients: Document
) -> None:
    """A record belongs to the job that it was made for, and not to any job with its name."""
    bedrock = scene.fakes["bedrock"]
    ours = next(each for each in clients["batches"] if each["client"] == "bedrock")
    held = await bedrock.snapshot()
    [job] = [one for one in held["jobs"] if _job_id(one) == ours["name"].removeprefix("batches/")]
    arn = job["resource"]["jobArn"].replace(_job_id(job), OTHER_JOB)
    other = {**job, "resource": {**job["resource"], "jobArn": arn}}
    await bedrock.put_snapshot({**held, "jobs": [other], "s3": {"objects": [], "uploads": []}})

    found = (await scene.batches("bedrock").get(f"batches/{OTHER_JOB}")).ok

    assert "displayName" not in found["metadata"]
    assert "ferryWarnings" not in found["metadata"]


def _job_id(job: Document) -> str:
    return str(job["resource"]["jobArn"].rpartition("/")[2])


async def test_deleted_batches_stay_deleted(scene: Scene, clients: Document) -> None:
    for each in clients["deleted"]:
        batches = scene.batches(each["client"])
        assert (await batches.call("GET", f"v1beta/{each['results']}")).error == ABSENT
        got, listed = await batches.get(each["name"]), await _listed(batches, "batches")
        if each["what"] == "batch":
            assert got.error == ABSENT
            assert each["name"] not in listed
        else:
            assert "output" not in got.ok["metadata"]
            assert each["name"] in listed


async def test_a_repeated_creation_is_the_same_batch(scene: Scene, clients: Document) -> None:
    for each in clients["repeats"]:
        batches, headers = scene.batches(each["client"]), {"x-ferry-idempotency-key": each["key"]}
        again = await batches.create(each["source"], headers=headers)
        assert again.ok["name"] == each["name"]
        other = await batches.create(each["source"], headers=headers, displayName="another")
        assert other.error == (409, "ALREADY_EXISTS")


async def test_resources_belong_to_the_tenant_that_created_them(
    scene: Scene, clients: Document
) -> None:
    for mine, others in clients["strangers"].items():
        stranger = scene.batches(others)
        made = [each for each in clients["batches"] if each["client"] == mine]
        assert made
        assert {each["name"] for each in made} <= await _listed(scene.batches(mine), "batches")
        assert await _listed(stranger, "batches") == set()
        for each in made:
            assert (await stranger.get(each["name"])).error == ABSENT
        for each in clients["files"]:
            if each["client"] == mine:
                path = f"v1beta/{each['file']['name']}"
                assert (await stranger.call("GET", path)).error == ABSENT


async def _listed(batches: BatchClient, what: str) -> set[str]:
    """The names of all items."""
    names: set[str] = set()
    token = ""
    while True:
        page = (await batches.call("GET", f"v1beta/{what}?pageSize=100&pageToken={token}")).ok
        found = page.get("files" if what == "files" else "operations", [])
        names |= {each["name"] for each in found}
        token = page.get("nextPageToken", "")
        if not token:
            return names
