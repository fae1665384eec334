// The key `prompt`: apps that ask a model read their prompt there, and each observation names the prompt that it was made with,
// so that a new prompt makes the observations of the former one stale.

import * as api from "./api.js";
import { fromBase64, fromUtf8, toBase64 } from "./bytes.js";
import { grouped } from "./dom.js";
import { PROMPT } from "./keys.js";
import { asJson } from "./value.js";

/** What stands in a prompt for the sentence. */
export const PLACEHOLDER = "{SENTENCE}";

/** How many hexadecimal digits of the SHA-256 of its prompt an observation holds. */
const DIGITS = 12;

/** Once so many entries are read, a number that is too small will do. */
const ENOUGH = 20_000;

const DEFAULT = "uses its default prompt instead";

/** Why apps cannot use a value as their prompt; null where they can. @param {Uint8Array} bytes */
export function flaw(bytes) {
  const text = fromUtf8(bytes);
  if (text === null) return `This prompt is not UTF-8 text, so the app ${DEFAULT}.`;
  return text.includes(PLACEHOLDER) ? null : `This prompt does not contain ${PLACEHOLDER}, so the app ${DEFAULT}.`;
}

/** The fingerprint of a prompt: its tag holds more of the same digits. @param {string} tag */
export const fingerprint = (tag) => tag.replaceAll('"', "").slice(0, DIGITS);

/** What a change of a store's prompt does that a person may not want, in sentences. `next` is the prompt to be, or null where it is
 * deleted; `spared` are keys whose observations do not matter, since they are replaced or deleted as well.
 * @param {string} label @param {Uint8Array | null} next @param {Set<string>} [spared] @returns {Promise<string[]>} */
export async function effects(label, next, spared = new Set()) {
  const now = await api.value(label, PROMPT).catch((failure) => {
    if (failure.status === 404) return null;
    throw failure;
  });
  if (now && next && toBase64(now.bytes) === toBase64(next)) return [];
  const [nowUsed, nextUsed] = [now !== null && !flaw(now.bytes), next !== null && !flaw(next)];
  const said = [];
  if (next === null) said.push(`Without a prompt, the app ${DEFAULT}.`);
  else if (!nextUsed) said.push(/** @type {string} */ (flaw(next)));
  const former = nowUsed ? fingerprint(now.tag) : null;
  const later = nextUsed ? await digest(next) : null;
  // From one prompt that cannot be used to another, the app keeps to its default.
  if (former === later) return said;
  // What the default prompt is, only the app knows: what is of another prompt than the new one will be stale.
  const stale = former === null ? (prompt) => prompt !== later : (prompt) => prompt === former;
  const { count, all } = await countObservations(label, stale, spared);
  if (count > 0) {
    const many = count === 1 && all ? "1 observation was" : `${all ? "" : "At least "}${grouped(count)} observations were`;
    const which = former === null ? "with another prompt" : "with the current prompt";
    said.push(`${many} made ${which} and will become stale: the app will ask the model about those sentences again.`);
  }
  return said;
}

/** @returns {Promise<string | null>} null where the browser has no means: on a page that came neither over TLS nor from this machine */
async function digest(bytes) {
  if (!globalThis.crypto.subtle) return null;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, DIGITS);
}

/** How many observations name a prompt that is asked for, and whether all entries were read. */
async function countObservations(label, wanted, spared) {
  let [count, read] = [0, 0];
  for await (const entries of api.entries(label)) {
    for (const { key, value } of entries) {
      const { prompt, model } = asJson(fromUtf8(fromBase64(value)) ?? "") ?? {};
      if (typeof prompt === "string" && typeof model === "string" && wanted(prompt) && !spared.has(key)) count += 1;
    }
    read += entries.length;
    if (read >= ENOUGH && count > 0) return { count, all: false };
  }
  return { count, all: true };
}
