// The only module that talks to the server. Credentials are kept for this tab, and sent by this module alone: the browser
// is told to leave its own out, so that it never asks for them itself.

import { fromBase64, safeKey, toBase64, toUtf8 } from "./bytes.js";
import { PROMPT, TALLIES } from "./keys.js";

const KEPT = "kv-explorer-credentials";

/** Why a call did not succeed: what the server said, or that it could not be reached. */
export class Failure extends Error {
  /** @param {number} status 0 where there was no answer @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** @param {string} user @param {string} password */
export function signIn(user, password) {
  sessionStorage.setItem(KEPT, toBase64(toUtf8(`${user}:${password}`)));
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
}

export const signedIn = () => sessionStorage.getItem(KEPT) !== null;

/** @returns {Promise<{stores: {label: string, error?: string}[], read_only: boolean}>} */
export const stores = async () => (await call("stores")).json();

/** All keys of a store, sorted. @param {string} label @param {AbortSignal} [signal] @returns {Promise<string[]>} */
export async function keys(label, signal) {
  const { keys } = await (await call(store(label), { signal })).json();
  return keys.sort();
}

/** The first keys that a store gives, sorted, and whether they are all of them: what can be shown at once.
 * @param {string} label @param {AbortSignal} [signal] @returns {Promise<{keys: string[], all: boolean}>} */
export async function firstKeys(label, signal) {
  const { keys, total } = await (await call(`${store(label)}?limit=60&sorted=false`, { signal })).json();
  return { keys: keys.sort(), all: total !== null };
}

/** How many keys a store has beside the prompt and tallies. @param {string} label @returns {Promise<number>} */
export async function count(label) {
  const [listing, prompt] = await Promise.all([call(`${store(label)}?limit=1&prefix=${TALLIES}`), hasPrompt(label)]);
  const { total, matched } = await listing.json();
  return total - matched - Number(prompt);
}

/** Whether a store has a prompt. @param {string} label @param {AbortSignal} [signal] */
export const hasPrompt = async (label, signal) => (await values(label, [PROMPT], 0, signal))[0] !== null;

/** The beginnings of some values, in the keys' order; null for a key that is not there.
 * @param {string} label @param {string[]} wanted @param {number} [maxBytes] @param {AbortSignal} [signal]
 * @returns {Promise<({bytes: Uint8Array, size: number} | null)[]>} */
export async function values(label, wanted, maxBytes, signal) {
  const body = JSON.stringify({ keys: wanted, max_bytes: maxBytes });
  const { entries } = await (await call(`${store(label)}/values`, { method: "POST", body, signal })).json();
  return entries.map(({ value, size }) => (value === null ? null : { bytes: fromBase64(value), size }));
}

/** One value, with the tag that names this state of it. @param {string} label @param {string} key
 * @param {AbortSignal} [signal] */
export async function value(label, key, signal) {
  const answer = await call(address(label, key), { signal, headers: { accept: "application/octet-stream" } });
  return { bytes: new Uint8Array(await answer.arrayBuffer()), tag: answer.headers.get("etag") ?? "" };
}

/** Adds a key that must not be there yet. @param {string} label @param {string} key @param {Uint8Array} bytes */
export const add = (label, key, bytes) => put(label, key, bytes, { "if-none-match": "*" });

/** Replaces a value, where a tag is given only that state of it. @param {string} label @param {string} key
 * @param {Uint8Array} bytes @param {string} [tag] */
export const replace = (label, key, bytes, tag) => put(label, key, bytes, tag ? { "if-match": tag } : {});

/** @param {string} label @param {string} key */
export const remove = async (label, key) => void (await call(address(label, key), { method: "DELETE" }));

/** @param {string} label @param {string[]} doomed @param {boolean} dryRun
 * @returns {Promise<{matched: number, deleted: number, keys: string[]}>} */
export async function removeMany(label, doomed, dryRun) {
  const path = `${store(label)}/delete?dry_run=${dryRun}`;
  return (await call(path, { method: "POST", body: JSON.stringify({ keys: doomed }) })).json();
}

/** A whole store, as JSON Lines. @param {string} label @param {AbortSignal} [signal] @returns {Promise<Response>} */
export const exported = (label, signal) => call(`${store(label)}/export`, { signal });

/** The entries of a whole store as they come, some at a time; values in base64. @param {string} label @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<{key: string, value: string}[]>} */
export async function* entries(label, signal) {
  const reader = (await exported(label, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      yield fromLines(lines);
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}

/** @param {string[]} lines @returns {{key: string, value: string}[]} */
export const fromLines = (lines) => lines.filter((line) => line.trim()).map((line) => JSON.parse(line));

/** @param {string} label @param {string} lines @param {boolean} dryRun
 * @returns {Promise<{entries: number, created: number, replaced: number, unchanged: number}>} */
export async function imported(label, lines, dryRun) {
  return (await call(`${store(label)}/import?dry_run=${dryRun}`, { method: "POST", body: lines })).json();
}

const store = (label) => `stores/${encodeURIComponent(label)}`;
const address = (label, key) => `${store(label)}/keys/${safeKey(key)}`;

async function put(label, key, bytes, headers) {
  const answer = await call(address(label, key), { method: "PUT", body: bytes, headers });
  return answer.headers.get("etag") ?? "";
}

/** @param {string} path @param {RequestInit} [options] */
async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  const kept = sessionStorage.getItem(KEPT);
  if (kept !== null) headers.set("authorization", `Basic ${kept}`);
  let answer;
  try {
    answer = await fetch(`api/${path}`, { ...options, headers, credentials: "omit", redirect: "error" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Failure(0, "Cannot reach the server. Is the app running?");
  }
  if (answer.ok) return answer;
  let detail = `The server responded with status ${answer.status}.`;
  try {
    detail = (await answer.json()).detail ?? detail;
  } catch {
    // Not the explorer's own answer: the status has to do.
  }
  throw new Failure(answer.status, detail);
}
