// The ways to show a value. Each gives an element; what is very long is cut, with a button that shows the rest.

import { hexDump } from "./bytes.js";
import { element } from "./dom.js";
import { formatted, isOutcome } from "./value.js";

/** @typedef {import("./value.js").Described} Described */

const CUT = 200_000;

const NAMES = { record: "Record", json: "JSON", text: "Text", bytes: "Hex" };

/** The ways in which a value can be shown, the best first. @param {Described} value @returns {[string, string][]} */
export function ways(value) {
  const kinds = { record: ["record", "json", "text", "bytes"], json: ["json", "text", "bytes"], text: ["text", "bytes"], bytes: ["bytes"] };
  return kinds[value.kind].map((kind) => [kind, NAMES[kind]]);
}

/** @param {Described} value @param {string} way @returns {HTMLElement} */
export function shown(value, way) {
  if (way === "record") return recordTable(value.record);
  if (way === "json") return json(value.text ?? "");
  if (way === "text") return long(value.text ?? "", CUT, (text) => plain(text, "text"));
  return long(value.bytes, 1 << 16, (bytes) => plain(hexDump(bytes), "hex"));
}

/** An outcome as a word in its colour. @param {string} outcome */
export const badge = (outcome) =>
  element("span", { className: `badge ${isOutcome(outcome) ? outcome : ""}`, textContent: outcome });

const FIELDS = [
  ["sentiment", "Outcome", badge],
  ["expected", "Expected", badge],
  ["sentence", "Sentence", String],
  ["prompt", "Prompt", (text) => element("code", { textContent: text })],
  ["model", "Model", String],
  ["at", "Time", time],
  ["elapsed_ms", "Took", (amount) => `${Number(amount).toLocaleString("en")} ms`],
  ["prompt_tokens", "Prompt tokens", (amount) => Number(amount).toLocaleString("en")],
  ["generated_tokens", "Generated tokens", (amount) => Number(amount).toLocaleString("en")],
];

function recordTable(record) {
  const table = element("table", { className: "record" });
  const known = new Set(FIELDS.map(([field]) => field));
  const others = Object.keys(record).filter((field) => !known.has(field));
  const rows = [...FIELDS, ...others.map((field) => [field, field, (other) => JSON.stringify(other)])];
  for (const [field, name, show] of rows) {
    if (record[field] === undefined || record[field] === null) continue;
    table.append(element("tr", {}, element("th", { scope: "row", textContent: name }), element("td", {}, show(record[field]))));
  }
  return table;
}

function time(at) {
  const date = new Date(at);
  if (Number.isNaN(date.valueOf())) return String(at);
  const text = date.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
  return element("time", { dateTime: date.toISOString(), textContent: text, title: String(at) });
}

function json(text) {
  if (text.length > CUT) return long(text, CUT, (part) => plain(part, "text"));
  const pre = element("pre", { className: "json" });
  for (const [piece, kind] of formatted(text)) {
    pre.append(kind ? element("span", { className: `json-${kind}`, textContent: piece }) : piece);
  }
  return pre;
}

const plain = (text, kind) => element("pre", { className: kind, textContent: text });

function long(whole, cut, show) {
  if (whole.length <= cut) return show(whole);
  const more = element("button", { type: "button", textContent: "Show all of it" });
  const part = element("div", {}, show(whole.slice(0, cut)), element("p", { className: "cut" }, more));
  more.addEventListener("click", () => part.replaceChildren(show(whole)));
  return part;
}
