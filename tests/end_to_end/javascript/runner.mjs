// Runs @google/genai for the end-to-end tests; ../sdk_process.py describes the protocol.

import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { GoogleGenAI } from "@google/genai";
import { promptCalls } from "./prompts.mjs";

const client = new GoogleGenAI({
  apiKey: process.env.FERRY_API_KEY,
  httpOptions: {
    baseUrl: process.env.FERRY_BASE_URL,
    headers: JSON.parse(process.env.FERRY_HEADERS),
  },
});

const calls = {
  "files.upload": ({ path, size, mime_type: mimeType, display_name: displayName }) =>
    client.files.upload({
      file: path ?? new Blob([patternBytes(size)], { type: mimeType }),
      config: { mimeType, displayName },
    }),
  "files.list": async (args) => everyPage(await client.files.list({ config: paging(args) })),
  "files.get": ({ name }) => client.files.get({ name }),
  "files.delete": ({ name }) => client.files.delete({ name }),
  "files.download": async ({ name, file, path }) => {
    await orUncaught(client.files.download({ file: name ?? file, downloadPath: path }));
    return { size: (await stat(path)).size };
  },
  "file_search_stores.upload": async ({ path, mime_type: mimeType, display_name: displayName }) => {
    const stores = client.fileSearchStores;
    const { name: fileSearchStoreName } = await stores.create({});
    const config = { mimeType, displayName };
    const begun = await stores.uploadToFileSearchStore({ fileSearchStoreName, file: path, config });
    const ended = await client.operations.get({ operation: begun });
    return stores.documents.get({ name: ended.response.documentName });
  },
  "models.list": async (args) => everyPage(await client.models.list({ config: paging(args) })),
  "models.get": ({ name }) => client.models.get({ model: name }),
  ...promptCalls(client, plain),
  "models.embed": (args) => client.models.embedContent(args),
  "batches.create": (args) => client.batches.create(args),
  "batches.create_embeddings": (args) => client.batches.createEmbeddings(args),
  "batches.list": async (args) => everyPage(await client.batches.list({ config: paging(args) })),
  "batches.get": ({ name }) => client.batches.get({ name }),
  "batches.cancel": ({ name }) => client.batches.cancel({ name }),
  "batches.delete": ({ name }) => client.batches.delete({ name }),
};

// The SDK's download promise never settles if the body is cut off: its error is uncaught.
async function orUncaught(promise) {
  const settled = new AbortController();
  const uncaught = once(process, "uncaughtException", { signal: settled.signal });
  const thrown = uncaught.then(([error]) => Promise.reject(error));
  try {
    await Promise.race([promise, thrown]);
  } finally {
    settled.abort();
  }
}

// Byte i is i mod 251; ../pattern.py says why.
function patternBytes(size) {
  return Uint8Array.from({ length: size }, (_, i) => i % 251);
}

function paging({ page_size: pageSize }) {
  return pageSize === undefined ? {} : { pageSize };
}

async function everyPage(pager) {
  const items = [...pager.page];
  let pages = 1;
  for (; pager.hasNextPage(); pages += 1) items.push(...(await pager.nextPage()));
  return { items: items.map(plain), pages };
}

function plain(result) {
  if (result === undefined) return null;
  const { sdkHttpResponse, ...rest } = result;
  return rest;
}

// The SDK's ApiError has the HTTP status, and the answer's whole body as its message.
function failureOf(error) {
  const envelope = parsed(error.message)?.error;
  return {
    name: error.name,
    code: error.status ?? null,
    status: envelope?.status ?? null,
    message: envelope?.message ?? error.message,
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { id, call, args } = JSON.parse(line);
  let answer;
  try {
    answer = { id, ok: plain(await calls[call](args)) };
  } catch (error) {
    answer = { id, error: failureOf(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
