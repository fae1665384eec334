// Two stores side by side: both prompts, then both outcomes of each sentence, those that differ first.

import * as api from "./api.js";
import { fromBase64, sizeText } from "./bytes.js";
import { element, fromTemplate, grouped, letScroll, onPress, plural, segments, tell } from "./dom.js";
import { isTally, onOneLine, PROMPT } from "./keys.js";
import { badge, modelName, shown, verdict } from "./value-parts.js";
import { describe, mostSay, outcomeOf } from "./value.js";

/** @typedef {{outcome: string | null, expected: string | null, model: string | null, sentence: string | null, brief: string, whole: string}} Side */
/** @typedef {{key: string, text: string, folded: string, left: Side | null, right: Side | null, kind: string}} Pair */

const KINDS = ["differ", "agree", "left", "right"];
const NAMED_MODELS = 4;

/** Fires `compare` ({left, right}), `filter` (text) and `signed-out`. */
class CompareView extends HTMLElement {
  #left = "";
  #right = "";
  #filter = "";
  #kind = "all";
  /** @type {Pair[]} */
  #pairs = [];
  /** @type {Pair[]} */
  #shown = [];
  /** @type {Pair | undefined} */
  #opened;
  #loading = new AbortController();

  connectedCallback() {
    this.append(fromTemplate("compare-view-template"));
    this.list = this.querySelector("virtual-list");
    this.list.id = "pair";
    this.input = this.querySelector("input");
    this.list.rows(() => fromTemplate("compare-row-template").firstElementChild, (row, index) => this.#fill(row, index));
    this.list.addEventListener("open", (event) => this.#open(this.#shown[event.detail]));
    this.list.addEventListener("keydown", (event) => event.key === "Escape" && this.#open(undefined));
    this.input.addEventListener("input", () => tell(this, "filter", this.input.value));
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "Enter") this.list.focus();
    });
    for (const select of this.querySelectorAll("select")) {
      select.addEventListener("change", () => {
        const [left, right] = this.querySelectorAll("select");
        tell(this, "compare", { left: left.value, right: right.value });
      });
    }
    onPress(this, { refresh: () => this.load(), close: () => { this.#open(undefined); this.list.focus(); } });
  }

  /** @param {string[]} labels */
  set labels(labels) {
    for (const select of this.querySelectorAll("select")) {
      select.replaceChildren(...labels.map((label) => element("option", { value: label, textContent: label })));
    }
  }

  focusFilter() {
    this.input.focus();
    this.input.select();
  }

  show(left, right, filter) {
    if (this.input.value !== filter) this.input.value = filter;
    const [first, second] = this.querySelectorAll("select");
    [first.value, second.value] = [left, right];
    if (left !== this.#left || right !== this.#right) {
      [this.#left, this.#right, this.#filter] = [left, right, filter];
      this.load();
    } else if (filter !== this.#filter) {
      this.#filter = filter;
      this.#update();
    }
  }

  async load() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const progress = this.querySelector("progress");
    const summary = this.querySelector(".compare-summary");
    progress.hidden = false;
    summary.textContent = "Reading both stores…";
    this.#fail(null);
    this.#open(undefined);
    [this.#pairs, this.#kind] = [[], "all"];
    this.querySelector(".compare-models").replaceChildren();
    this.#update();
    for (const [side, label] of [["left", this.#left], ["right", this.#right]]) this.querySelector(`.${side}-name`).textContent = label;
    try {
      const [left, right] = await Promise.all([read(this.#left, signal), read(this.#right, signal)]);
      if (signal.aborted) return;
      this.#pairs = pair(left, right);
      this.#summarise();
      this.#update();
    } catch (failure) {
      if (signal.aborted) return;
      summary.textContent = "";
      this.#fail(failure);
    }
    progress.hidden = true;
  }

  #summarise() {
    // The prompts are shown with the sentences, but are none.
    const pairs = this.#pairs.filter(({ key }) => key !== PROMPT);
    const counts = Object.fromEntries(KINDS.map((kind) => [kind, pairs.filter((pair) => pair.kind === kind).length]));
    const both = pairs.filter(({ left, right }) => left?.outcome && right?.outcome);
    const same = both.filter(({ left, right }) => left.outcome === right.outcome).length;
    const summary = this.querySelector(".compare-summary");
    if (!both.length) summary.textContent = "No sentence has an outcome in both stores yet.";
    else {
      const share = ((100 * same) / both.length).toLocaleString("en", { maximumFractionDigits: 1 });
      summary.textContent = `Both stores have an outcome for ${plural(both.length, "sentence")}: ${grouped(same)} (${share}%) the same, ${grouped(both.length - same)} different.`;
    }
    const models = [...new Set(pairs.flatMap(({ left, right }) => [left?.model, right?.model]))].filter((name) => typeof name === "string").sort();
    const named = models.slice(0, NAMED_MODELS).map(modelName);
    if (models.length > NAMED_MODELS) named.push(`and ${grouped(models.length - NAMED_MODELS)} more`);
    if (named.length) this.querySelector(".compare-models").replaceChildren(models.length === 1 ? "Model:" : "Models:", ...named);
    const name = { all: "All", differ: "Different", agree: "Same", left: `Only ${this.#left}`, right: `Only ${this.#right}` };
    const choices = ["all", ...KINDS].map((kind) => [kind, `${name[kind]} ${grouped(kind === "all" ? pairs.length : counts[kind])}`]);
    segments(this.querySelector(".segments"), "kind", choices, this.#kind, (kind) => {
      this.#kind = kind;
      this.#update();
    });
  }

  #update() {
    const wanted = this.#filter.toLowerCase();
    this.#shown = this.#pairs.filter((pair) => (this.#kind === "all" || pair.kind === this.#kind) && pair.folded.includes(wanted));
    this.list.show(this.#shown.length, true);
    this.list.hidden = this.#shown.length === 0;
    this.querySelector(".compare-columns").hidden = this.#shown.length === 0;
    const empty = this.querySelector(".empty");
    empty.hidden = this.#shown.length > 0 || this.#pairs.length === 0;
    empty.firstElementChild.textContent = "No matching sentences.";
  }

  #fill(row, index) {
    const { key, text, left, right, kind } = this.#shown[index];
    row.classList.toggle("is-prompt", key === PROMPT);
    row.querySelector(".key").textContent = onOneLine(text);
    row.classList.toggle("differs", kind === "differ");
    for (const [at, label, side] of [["left", this.#left, left], ["right", this.#right, right]]) {
      const cell = row.querySelector(`.${at}`);
      const name = element("span", { className: "visually-hidden", textContent: `${label}: ` });
      cell.replaceChildren(name, side ? (side.outcome ? badge(side.outcome) : side.brief) : "–");
      if (side?.outcome && side.expected) {
        cell.append(verdict(side.expected === side.outcome));
      }
    }
  }

  async #open(pair) {
    const box = this.querySelector(".both");
    box.hidden = !pair;
    this.#opened = pair;
    if (!pair) return;
    const { signal } = this.#loading;
    const heading = box.querySelector("h2");
    heading.textContent = pair.key === "" ? onOneLine("") : pair.key;
    letScroll(heading);
    box.querySelector(".sides").replaceChildren();
    const sides = await Promise.all([[this.#left, pair.left], [this.#right, pair.right]].map(([label, side]) => this.#side(label, pair.key, side, signal)));
    // Another pair may have been opened meanwhile.
    if (this.#opened === pair) box.querySelector(".sides").replaceChildren(...sides);
  }

  async #side(label, key, side, signal) {
    const name = element("h3", {}, element("a", { href: `#${new URLSearchParams({ store: label, key })}`, textContent: label }));
    if (!side) return element("div", { className: "side" }, name, element("p", { className: "muted", textContent: "This store does not contain this key." }));
    try {
      const { bytes } = await api.value(label, key, signal);
      const value = describe(bytes);
      return element("div", { className: "side" }, name, shown(value, value.kind));
    } catch (failure) {
      return element("div", { className: "side" }, name, element("p", { className: "error", textContent: failure.message }));
    }
  }

  #fail(failure) {
    const box = this.querySelector(".failure");
    box.hidden = !failure;
    box.firstElementChild.textContent = failure?.message ?? "";
    if (failure?.status === 401) tell(this, "signed-out", failure.message);
  }
}

/** Reads an export as it comes, and keeps of each value only what the list shows.
 * @returns {Promise<Map<string, Side>>} */
async function read(label, signal) {
  const sides = new Map();
  for await (const entries of api.entries(label, signal)) {
    // What was counted of the sentences is nothing to compare.
    for (const { key, value } of entries) if (!isTally(key)) sides.set(key, brief(value));
  }
  return sides;
}

function brief(base64) {
  const value = describe(fromBase64(base64));
  const outcome = outcomeOf(value);
  return {
    outcome,
    expected: mostSay(value.record),
    model: value.record?.model ?? null,
    sentence: value.record?.sentence ?? null,
    brief: outcome ?? (value.text === null ? sizeText(value.bytes.length) : onOneLine(value.text.trim().slice(0, 60))),
    // What is compared where there is no outcome; an observation's time and tokens are not.
    whole: outcome ?? base64,
  };
}

/** @param {Map<string, Side>} left @param {Map<string, Side>} right @returns {Pair[]} */
function pair(left, right) {
  const pairs = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [one, other] = [left.get(key) ?? null, right.get(key) ?? null];
    const kind = !other ? "left" : !one ? "right" : one.whole === other.whole ? "agree" : "differ";
    const text = one?.sentence ?? other?.sentence ?? key;
    pairs.push({ key, text, folded: text.toLowerCase(), left: one, right: other, kind });
  }
  const rank = Object.fromEntries(KINDS.map((kind, at) => [kind, at]));
  const notPrompt = ({ key }) => Number(key !== PROMPT);
  return pairs.sort((a, b) => notPrompt(a) - notPrompt(b) || rank[a.kind] - rank[b.kind] || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

customElements.define("compare-view", CompareView);
