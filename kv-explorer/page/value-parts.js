// The ways to show a value. Each gives an element; what is very long is cut, with a button that shows the rest.

import { hexDump } from "./bytes.js";
import { element } from "./dom.js";
import { byNumber, formatted, isOutcome, votesOn } from "./value.js";

/** @typedef {import("./value.js").Described} Described */

const CUT = 200_000;

const NAMES = { record: "Record", json: "JSON", text: "Text", bytes: "Hex", counter: "Number" };

/** The ways in which a value can be shown, the best first. @param {Described} value @returns {[string, string][]} */
export function ways(value) {
  const kinds = { record: ["record", "json", "text", "bytes"], json: ["json", "text", "bytes"], text: ["text", "bytes"], bytes: ["bytes"], counter: ["counter", "bytes"] };
  return kinds[value.kind].map((kind) => [kind, NAMES[kind]]);
}

/** @param {Described} value @param {string} way @returns {HTMLElement} */
export function shown(value, way) {
  if (way === "record") return recordTable(value.record);
  if (way === "json") return json(value.text ?? "");
  if (way === "counter") return plain(value.number.toLocaleString("en"), "text");
  if (way === "text") return long(value.text ?? "", CUT, (text) => plain(text, "text"));
  return long(value.bytes, 1 << 16, (bytes) => plain(hexDump(bytes), "hex"));
}

/** An outcome as a word in its colour. @param {string} outcome */
export const badge = (outcome) =>
  element("span", { className: `badge ${isOutcome(outcome) ? outcome : ""}`, textContent: outcome });

/** What a person said about an outcome. @param {boolean} right */
export const verdict = (right) =>
  element("span", { className: `verdict ${right ? "is-right" : "is-wrong"}`, textContent: right ? "right" : "wrong" });

/** The name of the model that made an observation; a stand-in's is marked. @param {string} name */
export const modelName = (name) => element("span", { className: isOffline(name) ? "model chip" : "model", textContent: name });

/** Whether a name is that of a stand-in, which needs no model. @param {string} name */
const isOffline = (name) => /\boffline\b/i.test(name);

const FIELDS = [
  ["sentiment", "Outcome", badge],
  ["expected", "Votes", votes],
  ["sentence", "Sentence", String],
  ["model", "Model", modelName],
  ["prompt", "Prompt", (text) => element("code", { textContent: text })],
  ["at", "Time", time],
  ["elapsed_ms", "Duration", (amount) => `${Number(amount).toLocaleString("en")} ms`],
  ["prompt_tokens", "Prompt tokens", (amount) => Number(amount).toLocaleString("en")],
  ["generated_tokens", "Generated tokens", (amount) => Number(amount).toLocaleString("en")],
];

function recordTable(record) {
  const table = element("table", { className: "record" });
  const known = new Set(["votes", ...FIELDS.map(([field]) => field)]);
  const others = Object.keys(record).filter((field) => !known.has(field));
  const rows = [...FIELDS, ...others.map((field) => [field, field, (other) => JSON.stringify(other)])];
  for (const [field, name, show] of rows) {
    const value = field === "expected" ? votesOn(record) : record[field];
    if (value === undefined || value === null || value.length === 0) continue;
    table.append(element("tr", {}, element("th", { scope: "row", textContent: name }), element("td", {}, show(value))));
  }
  return table;
}

/** What visitors say would have been right, and how many of them. @param {string[]} said */
function votes(said) {
  const cell = document.createDocumentFragment();
  for (const [outcome, number] of byNumber(said)) cell.append(badge(outcome), ` ${number.toLocaleString("en")} `);
  return cell;
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
  const more = element("button", { type: "button", textContent: "Show all" });
  const part = element("div", {}, show(whole.slice(0, cut)), element("p", { className: "cut" }, more));
  more.addEventListener("click", () => part.replaceChildren(show(whole)));
  return part;
}
