"""The documented workflow of files and batches, in one program for every provider.

It is an ordinary program against google-genai: nothing in it knows about a proxy, and nothing but
the models' names and the format of a native line differs between providers.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google import genai
from google.genai import errors, types

from tests.demo.narration import call, result, say, show, step
from tests.demo.questions import QUESTIONS, Line, Lines, gemini_lines, inline_requests, many_lines

LOOKS = 1000
PAUSE_SECONDS = 0.01
"""A fake advances by one state at each get; a real batch takes minutes to hours."""

ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED")


class DemoFailed(Exception):
    """Something is not as expected, so the demo fails."""


def check(holds: bool, what: str) -> None:
    if not holds:
        raise DemoFailed(what)


@dataclass(frozen=True)
class Tour:
    """One provider's workflow.

    `native_lines` is None without a native format, and `embedding_model` without embeddings.
    `job_size` is the provider's minimum of requests, if the proxy runs smaller batches itself.
    """

    client: genai.Client
    model: str
    embedding_model: str | None
    native_lines: Lines | None
    job_size: int | None
    folder: Path

    def run(self) -> None:
        step("Upload a file with one request a line.")
        uploaded = self.upload("questions.jsonl", gemini_lines)
        self.find(uploaded)
        self.batch_from_file(uploaded)
        if self.native_lines is not None:
            step("The lines may be in the provider's own format too; the results stay Gemini's.")
            native = self.upload("native.jsonl", self.native_lines)
            self.batch_from_file(native)
            self.delete_file(native)
        self.batch_inline()
        if self.embedding_model is not None:
            self.embeddings(self.embedding_model)
        else:
            self.no_embeddings()
        if self.job_size is None:
            self.cancelled_batch(uploaded)
        else:
            many = self.batch_of_many(self.job_size)
            self.cancelled_batch(many)
            self.delete_file(many)
        step("Delete the file.")
        call(f'client.files.delete(name="{_short(uploaded.name)}")')
        self.delete_file(uploaded)
        show("gone: the list is without it")

    # --- files -----------------------------------------------------------------------------------

    def upload(self, file_name: str, lines: Lines) -> types.File:
        return self.upload_lines(file_name, lines(self.model), "three questions")

    def upload_lines(self, file_name: str, lines: list[Line], display_name: str) -> types.File:
        path = self.folder / file_name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        call(f'uploaded = client.files.upload(file="{file_name}", config=UploadFileConfig(')
        call(f'    display_name="{display_name}", mime_type="application/jsonl"))')
        uploaded = self.client.files.upload(
            file=str(path),
            config=types.UploadFileConfig(display_name=display_name, mime_type="application/jsonl"),
        )
        _show_file(uploaded)
        check(uploaded.size_bytes == path.stat().st_size, "the file has another size")
        check(uploaded.display_name == display_name, "the file has another name")
        return uploaded

    def find(self, uploaded: types.File) -> None:
        step("Find it again: in the list, and by its name.")
        call('client.files.list(config={"page_size": 50})')
        listed = list(self.client.files.list(config={"page_size": 50}))
        for file in listed:
            _show_file(file)
        check(uploaded.name in [file.name for file in listed], "the list does not have the file")
        call(f'client.files.get(name="{_short(uploaded.name)}")')
        _show_file(self.client.files.get(name=_name(uploaded)))

    # --- batches ---------------------------------------------------------------------------------

    def batch_from_file(self, uploaded: types.File) -> None:
        step("Create a batch from the file, and wait until it has ended.")
        call(f'job = client.batches.create(model="{self.model}", src=uploaded.name)')
        job = self.wait(self.client.batches.create(model=self.model, src=_name(uploaded)))
        results = job.dest.file_name if job.dest else None
        check(results is not None, "the batch has no results file")
        step("Its results are a file too: one line for each request, with its key.")
        call("client.files.download(file=job.dest.file_name)")
        lines = self.client.files.download(file=str(results)).decode().splitlines()
        answers = {line["key"]: line for line in map(json.loads, lines)}
        for key, answer in answers.items():
            result(key, _text(answer))
        check(answers.keys() == QUESTIONS.keys(), "a request has no result")
        check("error" in answers.pop("broken"), "the request that asks to fail did not fail")
        for key, answer in answers.items():
            check(QUESTIONS[key] in _text(answer), f"{key} got another request's answer")
        self.delete_batch(job)

    def batch_inline(self) -> None:
        step("A few requests need no file. These have metadata, a system instruction, a JSON")
        say("schema, and a tool; the results come inline, in the order of the requests.")
        call(f'job = client.batches.create(model="{self.model}", src=[')
        for request in inline_requests():
            contents, config = request["contents"][0]["parts"][0]["text"], list(request["config"])
            call(f'    {{"contents": "{contents}", "config": {{{", ".join(config)}}}, ...}},')
        call("])")
        job = self.client.batches.create(model=self.model, src=inline_requests())
        answered = _inlined(self.wait(job))
        for one in answered:
            result((one.metadata or {}).get("question", "?"), _part(one.response))
        questions = [(one.metadata or {}).get("question") for one in answered]
        check(questions == ["plain", "schema", "tool"], "metadata or order was lost")
        check(json.loads(_part(answered[1].response)).keys() == {"country", "capital"}, "no JSON")
        check(_part(answered[2].response).startswith("look_up("), "the tool was not called")
        self.delete_batch(job)

    def embeddings(self, model: str) -> None:
        step("Embeddings are batches as well.")
        contents = ["a stone", "a river"]
        job = self.wait(self.embed(model, contents))
        answered = (job.dest and job.dest.inlined_embed_content_responses) or []
        check(len(answered) == len(contents), "a text has no embedding")
        for text, one in zip(contents, answered, strict=True):
            embedding = one.response and one.response.embedding
            values = (embedding and embedding.values) or []
            check(len(values) > 0, f"{text!r} has no embedding")
            shown = ", ".join(f"{value:+.2f}" for value in values[:4])
            result(text, f"[{shown}, ...] ({len(values)} numbers)")
        self.delete_batch(job)

    def no_embeddings(self) -> None:
        step("This provider has no embeddings, and the error says so.")
        try:
            self.embed("some-model", ["a stone"])
        except errors.APIError as error:
            show(f"{error.code} {error.status}: {error.message}")
            check(error.status == "UNIMPLEMENTED", "the error has another status")
        else:
            raise DemoFailed("a batch of embeddings was accepted")

    def embed(self, model: str, contents: list[str]) -> types.BatchJob:
        call(f'job = client.batches.create_embeddings(model="{model}", src={{')
        call(f'    "inlined_requests": {{"contents": {contents}}}}})')
        return self.client.batches.create_embeddings(
            model=model,
            src=types.EmbeddingsBatchJobSource(
                inlined_requests=types.EmbedContentBatch(contents=list(contents))
            ),
        )

    def batch_of_many(self, count: int) -> types.File:
        """Returns the input file, which is not deleted."""
        step(f"The provider takes no batch of fewer than {count} requests, so the proxy ran the")
        say("batches above itself. This one is the provider's own job.")
        uploaded = self.upload_lines("many.jsonl", many_lines(count), f"{count} questions")
        call(f'job = client.batches.create(model="{self.model}", src=uploaded.name)')
        job = self.wait(self.client.batches.create(model=self.model, src=_name(uploaded)))
        results = job.dest.file_name if job.dest else None
        lines = self.client.files.download(file=str(results)).decode().splitlines()
        answers = {line["key"]: _text(line) for line in map(json.loads, lines)}
        result("sum-0", answers.get("sum-0", "?"))
        show(f"... {len(answers)} results")
        wrong = [n for n in range(count) if f"{n}+{n}" not in answers.get(f"sum-{n}", "")]
        check(wrong == [] and len(answers) == count, "a request has no result of its own")
        self.delete_batch(job)
        return uploaded

    def cancelled_batch(self, uploaded: types.File) -> None:
        step("Cancel a batch that is no longer needed, and then delete it.")
        call(f'job = client.batches.create(model="{self.model}", src=uploaded.name)')
        job = self.client.batches.create(model=self.model, src=_name(uploaded))
        show(_short(job.name), _state(job))
        call(f'client.batches.cancel(name="{_short(job.name)}")')
        self.client.batches.cancel(name=str(job.name))
        call("client.batches.list(config=ListBatchJobsConfig(page_size=10))")
        listed = list(self.client.batches.list(config=types.ListBatchJobsConfig(page_size=10)))
        for one in listed:
            show(_short(one.name), _state(one))
        check(job.name in [one.name for one in listed], "the list does not have the batch")
        call("job = client.batches.get(name=job.name)")
        job = self.wait(self.client.batches.get(name=str(job.name)), until="JOB_STATE_CANCELLED")
        call("client.batches.delete(name=job.name)")
        self.delete_batch(job)
        try:
            self.client.batches.get(name=str(job.name))
        except errors.ClientError as error:
            show(f"gone: get answers {error.code} {error.status}")
        else:
            raise DemoFailed("a deleted batch is still there")

    # --- deleting ---------------------------------------------------------------------------------

    def delete_file(self, uploaded: types.File) -> None:
        self.client.files.delete(name=_name(uploaded))
        check(uploaded.name not in [f.name for f in self.client.files.list()], "still listed")

    def delete_batch(self, job: types.BatchJob) -> None:
        self.client.batches.delete(name=str(job.name))

    def wait(self, job: types.BatchJob, until: str = "JOB_STATE_SUCCEEDED") -> types.BatchJob:
        show(_short(job.name), _state(job))
        seen = _state(job)
        for _ in range(LOOKS):
            if seen in ENDED:
                break
            time.sleep(PAUSE_SECONDS)
            job = self.client.batches.get(name=str(job.name))
            if _state(job) != seen:
                seen = _state(job)
                show(" " * len(_short(job.name)), seen)
        check(_state(job) == until, f"the batch ended as {_state(job)}")
        return job


# --- answers -------------------------------------------------------------------------------------


def _inlined(job: types.BatchJob) -> Sequence[types.InlinedResponse]:
    answered = (job.dest and job.dest.inlined_responses) or []
    check(len(answered) == len(inline_requests()), "a request has no result")
    return answered


def _text(line: dict[str, Any]) -> str:
    """One line of a results file, in Gemini's shape at every provider."""
    if "error" in line:
        return f"error {line['error']['code']}: {line['error']['message']}"
    return _part(types.GenerateContentResponse.model_validate(line["response"]))


def _part(response: types.GenerateContentResponse | None) -> str:
    check(response is not None, "a request failed that should succeed")
    assert response is not None
    if response.function_calls:
        function = response.function_calls[0]
        return f"{function.name}({json.dumps(function.args)})"
    return response.text or ""


def _name(file: types.File) -> str:
    return str(file.name)


def _state(job: types.BatchJob) -> str:
    return job.state.value if job.state else "no state"


def _show_file(file: types.File) -> None:
    state = file.state.value if file.state else "no state"
    show(_short(file.name), state, f"{file.size_bytes} bytes", f'"{file.display_name}"')


def _short(name: str | None) -> str:
    """Long names are shortened only in print."""
    text = str(name)
    return text if len(text) <= 36 else f"{text[:33]}..."
