// What a value is: an observation of this app, JSON, text, bytes or a counter.

import { fromUtf8 } from "./bytes.js";
import { isCounter } from "./keys.js";

/** @typedef {"positive" | "neutral" | "negative" | "unsure"} Outcome */
/** @typedef {{sentiment: string, prompt?: string, model?: string, expected?: string, votes?: Record<string, string>,
 *   sentence?: string}} Observation */
/** @typedef {{kind: "record" | "json" | "text" | "bytes" | "counter", bytes: Uint8Array, text: string | null,
 *   record: Observation | null, number: bigint | null}} Described */

const OUTCOMES = new Set(["positive", "neutral", "negative", "unsure"]);

/** @param {Uint8Array} bytes @param {string} [key] the key, where that matters @returns {Described} */
export function describe(bytes, key = "") {
  const number = isCounter(key) ? numberOf(bytes) : null;
  const described = asContent(bytes);
  return number === null ? { ...described, number } : { ...described, kind: "counter", number };
}

/** The number that a counter holds: decimal text in Redis, 8 bytes in SQLite, least significant first. @param {Uint8Array} bytes */
function numberOf(bytes) {
  const text = fromUtf8(bytes);
  if (text !== null && /^-?\d+$/.test(text)) return BigInt(text);
  return bytes.length === 8 ? new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true) : null;
}

/** @param {Uint8Array} bytes @returns {Omit<Described, "number">} */
function asContent(bytes) {
  const text = fromUtf8(bytes);
  // Control characters are what a text does not have, and what a page would swallow.
  if (text === null || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return { kind: "bytes", bytes, text: null, record: null };
  const json = asJson(text);
  if (json === undefined) return { kind: "text", bytes, text, record: null };
  const record = isObservation(json) ? json : null;
  return { kind: record ? "record" : "json", bytes, text, record };
}

/** The outcome that a value holds: an observation's, or the bare word that older apps keep. @param {Described} value */
export function outcomeOf(value) {
  if (value.record) return value.record.sentiment;
  const word = value.text?.trim() ?? "";
  return OUTCOMES.has(word) ? word : null;
}

/** What visitors say would have been right, by each vote. The field `expected` is a vote of which nobody knows whose it is.
 * @param {Observation} record @returns {string[]} */
export function votesOn({ expected, votes }) {
  const others = votes && typeof votes === "object" ? Object.values(votes) : [];
  return [expected, ...others].filter((vote) => typeof vote === "string");
}

/** What most visitors say would have been right; nothing without votes, and where two outcomes have as many.
 * @param {Observation | null} record @returns {string | null} */
export function mostSay(record) {
  const [first, second] = record ? byNumber(votesOn(record)) : [];
  return first && first[1] > (second?.[1] ?? 0) ? first[0] : null;
}

/** The different words of a list and how often each is in it, the most frequent first. @param {string[]} words
 * @returns {[string, number][]} */
export function byNumber(words) {
  const numbers = new Map();
  for (const word of words) numbers.set(word, (numbers.get(word) ?? 0) + 1);
  return [...numbers].sort((one, other) => other[1] - one[1]);
}

/** @param {string} outcome */
export const isOutcome = (outcome) => OUTCOMES.has(outcome);

/** From this depth on, lists within lists are shown as text: their indents alone would fill the memory. */
const DEEPEST = 100;

/** What a text is as JSON, where it is an object or a list. @param {string} text */
export function asJson(text) {
  if (!/^\s*[[{]/.test(text) || isDeep(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isDeep(text) {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

function isObservation(json) {
  return !Array.isArray(json) && OUTCOMES.has(json.sentiment) && typeof json.model === "string";
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** JSON with line ends and indents. The tokens stay as they are, so that no digit of a number is lost.
 * @param {string} text @returns {[string, "name" | "string" | "number" | "word" | null][]} pieces and what they are */
export function formatted(text) {
  const tokens = text.match(TOKEN) ?? [];
  const pieces = [];
  let depth = 0;
  const line = () => pieces.push([`\n${"  ".repeat(depth)}`, null]);
  tokens.forEach((token, at) => {
    const next = tokens[at + 1];
    if (token === "{" || token === "[") {
      pieces.push([token, null]);
      depth += 1;
      if (next !== "}" && next !== "]") line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const before = tokens[at - 1];
      if (before !== "{" && before !== "[") line();
      pieces.push([token, null]);
    } else if (token === ",") {
      pieces.push([token, null]);
      line();
    } else if (token === ":") {
      pieces.push([": ", null]);
    } else if (token.startsWith('"')) {
      pieces.push([token, next === ":" ? "name" : "string"]);
    } else {
      pieces.push([token, /^-?\d/.test(token) ? "number" : "word"]);
    }
  });
  return pieces;
}
