// What a web page gets from the proxy through the SDK's web build; ../test_browser.py serves it.
// The query has the proxy and the workload: `base_url`, `key`, `provider`, `model`, and `size` of a file.

import { GoogleGenAI } from "@google/genai";

const asked = Object.fromEntries(new URLSearchParams(location.search));
const headers = { "x-model-provider": asked.provider };
const client = new GoogleGenAI({
  apiKey: asked.key,
  httpOptions: { baseUrl: asked.base_url, headers },
});

async function upload(size) {
  const mimeType = "application/pdf";
  const bytes = Uint8Array.from({ length: size }, (_, i) => i % 251);
  return client.files.upload({ file: new Blob([bytes], { type: mimeType }), config: { mimeType } });
}

async function uploadAndDelete() {
  const { name } = await upload(1);
  await client.files.delete({ name });
}

async function batch() {
  const contents = [{ role: "user", parts: [{ text: "hello" }] }];
  let job = await client.batches.create({ model: asked.model, src: [{ contents }] });
  for (let looks = 0; looks < 10 && job.state !== "JOB_STATE_SUCCEEDED"; looks += 1) {
    job = await client.batches.get({ name: job.name });
  }
  return job.dest.inlinedResponses.map(({ response }) => response.candidates[0].content);
}

async function names() {
  const found = [];
  for await (const file of await client.files.list()) found.push(file.name);
  return found;
}

// The SDK's web build has no download, so the page fetches, and also reads our headers.
async function fetched(url) {
  const answer = await fetch(url, { headers: { ...headers, "x-goog-api-key": asked.key } });
  const { byteLength } = await answer.arrayBuffer();
  return { status: answer.status, byteLength, request: answer.headers.get("x-ferry-request-id") };
}

async function everything() {
  const file = await upload(Number(asked.size));
  const missing = "files/no-such-file";
  return {
    file,
    got: await client.files.get({ name: file.name }),
    listed: await names(),
    batch: await batch(),
    fetched: await fetched(`${asked.base_url}/v1beta/${file.name}`),
    refused: await client.files.get({ name: missing }).catch(({ status }) => status),
    refusedFetch: await fetched(`${asked.base_url}/v1beta/${missing}`),
    deleted: await uploadAndDelete().then(names),
  };
}

const seen = await everything().catch((error) => ({ error: `${error.name}: ${error.message}` }));
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
