// The keys of one store: filter, list, selection, and what is done with many keys.

import * as api from "./api.js";
import { confirm, importFile } from "./dialogs.js";
import { sizeText, toBase64 } from "./bytes.js";
import { download, element, fromTemplate, grouped, onPress, plural, say, tell } from "./dom.js";
import * as early from "./early.js";
import { Keys, onOneLine, PROMPT } from "./keys.js";
import { effects, flaw, PLACEHOLDER } from "./prompt.js";
import { badge, modelName, verdict } from "./value-parts.js";
import { describe, mostSay, outcomeOf } from "./value.js";

/** Enough for the observation of the longest sentence, with all of it escaped. */
const PREVIEW_BYTES = 10_240;
const KEPT_PREVIEWS = 5000;

/** Fires `filter` (text), `open` (key or null), `add`, `counted` ({label, count}) and `signed-out`. */
class EntryList extends HTMLElement {
  /** @type {string | null} */
  #label = null;
  #keys = new Keys([]);
  #loaded = false;
  /** @type {Set<string>} */
  #chosen = new Set();
  #rangeFrom = 0;
  /** @type {string | null} */
  #open = null;
  /** @type {Map<string, Node | string>} */
  #previews = new Map();
  #asked = 0;
  #pending = 0;
  #opening = 0;
  #loading = new AbortController();
  #readOnly = false;
  /** Whether the list gets the focus as soon as it is there. */
  #awaited = false;

  connectedCallback() {
    this.append(fromTemplate("entry-list-template"));
    this.list = this.querySelector("virtual-list");
    this.list.id = "entry";
    this.input = this.querySelector("input");
    this.list.rows(() => fromTemplate("entry-row-template").firstElementChild, (row, index) => this.#fill(row, index));
    this.list.addEventListener("drawn", () => this.#askForPreviews());
    this.list.addEventListener("open", (event) => this.#openAt(event.detail));
    this.list.addEventListener("move", (event) => this.#openSoon(event.detail));
    this.list.addEventListener("toggle", (event) => this.#toggle(event.detail));
    this.list.addEventListener("remove", () => this.#deleteKeys(this.#chosen.size ? [...this.#chosen] : [this.#keys.shown[this.list.active]]));
    this.list.addEventListener("all", () => this.#choose(new Set(this.#keys.shown)));
    this.list.addEventListener("keydown", (event) => event.key === "Escape" && this.#choose(new Set()));
    this.input.addEventListener("input", () => tell(this, "filter", this.input.value));
    this.input.addEventListener("keydown", (event) => this.#onFilterKey(event));
    onPress(this, {
      add: () => tell(this, "add"),
      import: () => this.#import(),
      export: () => this.#export(),
      refresh: () => this.load(),
      clear: () => this.#choose(new Set()),
      "export-chosen": () => this.#exportChosen(),
      "delete-chosen": () => this.#deleteKeys([...this.#chosen]),
    });
  }

  set readOnly(readOnly) {
    this.#readOnly = readOnly;
    for (const name of ["add", "import", "delete-chosen"]) this.querySelector(`[data-do="${name}"]`).hidden = readOnly;
  }

  /** Shows a store, a filter and a key as open. */
  show(label, filter, key) {
    this.#open = key;
    if (this.input.value !== filter) this.input.value = filter;
    if (label !== this.#label) {
      this.#label = label;
      this.#chosen = new Set();
      this.load();
    } else if (this.#loaded) {
      if (filter !== this.#keys.query) this.#filter(filter);
      else this.#reveal();
    }
  }

  focusFilter() {
    this.input.focus();
    this.input.select();
  }

  /** Puts the focus where a person goes on: the list, once its keys are there, or the filter of a store without any. */
  focusList() {
    this.#awaited = !this.#loaded;
    if (this.#loaded) (this.list.hidden ? this.input : this.list).focus();
  }

  /** Reads the store's keys. */
  async load() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const label = this.#label;
    // Asked for before anything is drawn: the first rows come before the rest is read.
    const asked = early.firstKeys(label, signal);
    this.#loaded = false;
    this.#keys = new Keys([]);
    this.#update(true);
    this.#previews.clear();
    this.#fail(null);
    this.#count("Reading keys…");
    try {
      const first = await asked;
      if (!first.all) {
        this.#showFirst(first.keys);
        // In a large store the prompt may be anywhere. Neither do these rows wait for it, nor does it wait for all keys.
        if (!first.keys.includes(PROMPT)) {
          api.hasPrompt(label, signal).then((has) => has && !signal.aborted && !this.#loaded && this.#showFirst([PROMPT, ...first.keys]), () => {});
        }
      }
      const keys = first.all ? first.keys : await api.keys(label, signal);
      this.#keys = new Keys(keys);
      this.#chosen = new Set([...this.#chosen].filter((key) => this.#keys.indexOf(key) >= 0));
      this.#loaded = true;
      this.#keys.filter(this.input.value);
      this.#update();
      this.#reveal();
      if (this.#awaited && !hasFocus()) this.focusList();
      this.#tellCount();
      setTimeout(() => this.#keys.prepare(), 50);
    } catch (failure) {
      if (signal.aborted) return;
      this.#loading.abort();
      this.#keys = new Keys([]);
      this.#update();
      this.#fail(failure);
    }
  }

  /** Shows some keys until all are there. What is typed meanwhile filters all of them. */
  #showFirst(keys) {
    if (this.input.value) return;
    this.#keys = new Keys(keys);
    this.list.hidden = false;
    this.list.show(keys.length, true);
  }

  /** Takes note of a key that was written elsewhere on the page. @param {string} key */
  written(key) {
    this.#previews.delete(key);
    this.#keys.add(key);
    this.#update();
    this.#reveal();
    this.#tellCount();
  }

  /** Takes note of keys that were deleted elsewhere on the page. @param {string[]} gone */
  deleted(gone) {
    const set = new Set(gone);
    this.#keys.remove(set);
    for (const key of gone) this.#chosen.delete(key);
    this.#update();
    this.#tellCount();
  }

  #tellCount() {
    tell(this, "counted", { label: this.#label, count: this.#keys.others });
  }

  #filter(text) {
    this.#keys.filter(text);
    this.#update(true);
    this.#reveal();
  }

  #update(fromTop = false) {
    const { shown, all } = this.#keys;
    this.list.show(shown.length, fromTop);
    this.list.hidden = shown.length === 0;
    const empty = this.querySelector(".empty");
    empty.hidden = shown.length > 0 || !this.#loaded;
    empty.firstElementChild.textContent = all.length ? `No key contains “${onOneLine(this.#keys.query)}”.` : "This store is empty.";
    this.#count(shown.length === all.length ? this.#total : `${grouped(shown.length)} of ${plural(all.length, "key")}`);
    this.#showChosen();
  }

  get #total() {
    const { hasPrompt, others, tallies } = this.#keys;
    if (!hasPrompt && !tallies) return plural(others, "key");
    if (!others && !tallies) return "Only the prompt";
    const parts = [hasPrompt && "Prompt", others && plural(others, hasPrompt ? "other key" : "key"), tallies && plural(tallies, "tally key")].filter(Boolean);
    return parts.length < 3 ? parts.join(" and ") : `${parts[0]}, ${parts[1]} and ${parts[2]}`;
  }

  #reveal() {
    const at = this.#keys.indexOf(this.#open);
    if (at >= 0) this.list.activate(at);
    else this.list.redraw();
  }

  #fill(row, index) {
    const key = this.#keys.shown[index];
    const cell = row.querySelector(".key");
    cell.textContent = onOneLine(key);
    cell.classList.toggle("nameless", key === "");
    row.classList.toggle("is-prompt", key === PROMPT);
    row.setAttribute("aria-selected", String(this.#chosen.has(key)));
    if (key === this.#open) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    const preview = this.#previews.get(key) ?? "";
    row.querySelector(".preview").replaceChildren(typeof preview === "string" ? preview : preview.cloneNode(true));
  }

  /** Asks for the values of the rows in sight, once scrolling pauses. */
  #askForPreviews() {
    clearTimeout(this.#pending);
    const [first, end] = this.list.inSight;
    const wanted = this.#keys.shown.slice(first, end).filter((key) => !this.#previews.has(key));
    if (!wanted.length) return;
    this.#pending = setTimeout(() => this.#readPreviews(wanted.slice(0, 100)), 60);
  }

  async #readPreviews(wanted) {
    const [label, turn] = [this.#label, ++this.#asked];
    try {
      const values = await api.values(label, wanted, PREVIEW_BYTES);
      if (label !== this.#label) return;
      if (this.#previews.size > KEPT_PREVIEWS) this.#previews.clear();
      wanted.forEach((key, at) => this.#previews.set(key, preview(key, values[at])));
      if (turn === this.#asked) this.list.redraw();
    } catch {
      // Rows without previews are as good as any; opening one says what is wrong.
      for (const key of wanted) this.#previews.set(key, "");
    }
  }

  #openAt(index) {
    const key = this.#keys.shown[index];
    if (key !== undefined) tell(this, "open", key);
  }

  /** Arrow keys open what they pass, where there is room to show it, once they rest. */
  #openSoon(index) {
    this.#rangeFrom = index;
    clearTimeout(this.#opening);
    if (matchMedia("(min-width: 48rem)").matches) this.#opening = setTimeout(() => this.#openAt(index), 120);
  }

  #toggle({ index, range }) {
    const chosen = new Set(this.#chosen);
    const key = this.#keys.shown[index];
    if (range) {
      const [low, high] = [Math.min(this.#rangeFrom, index), Math.max(this.#rangeFrom, index)];
      for (const between of this.#keys.shown.slice(low, high + 1)) chosen.add(between);
    } else if (!chosen.delete(key)) chosen.add(key);
    if (!range) this.#rangeFrom = index;
    this.#choose(chosen);
  }

  #choose(chosen) {
    this.#chosen = chosen;
    this.list.redraw();
    this.#showChosen();
  }

  #showChosen() {
    this.querySelector(".selection").hidden = this.#chosen.size === 0;
    this.querySelector(".chosen").textContent = `${grouped(this.#chosen.size)} selected`;
    this.classList.toggle("choosing", this.#chosen.size > 0);
  }

  #onFilterKey(event) {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.list.focus();
    } else if (event.key === "Escape" && this.input.value) {
      event.preventDefault();
      this.input.value = "";
      tell(this, "filter", "");
    }
  }

  async #deleteKeys(keys) {
    if (this.#readOnly || keys[0] === undefined) return;
    try {
      const { matched } = await api.removeMany(this.#label, keys, true);
      const sure = await confirm({
        title: `Delete ${plural(matched, "key")} from ${this.#label}?`,
        text: "This cannot be undone. To keep a copy, export them first.",
        warnings: keys.includes(PROMPT) ? await effects(this.#label, null, new Set(keys)) : [],
        list: keys.map(onOneLine),
        yes: "Delete",
      });
      if (!sure) return;
      const { deleted } = await api.removeMany(this.#label, keys, false);
      this.deleted(keys);
      if (this.#open !== null && keys.includes(this.#open)) tell(this, "open", null);
      say(`${plural(deleted, "key")} deleted.`);
    } catch (failure) {
      this.#fail(failure);
    }
    this.focusList();
  }

  async #export() {
    try {
      say("Exporting…");
      const answer = await api.exported(this.#label);
      download(await answer.blob(), `${this.#label}.jsonl`);
      say("Exported.");
    } catch (failure) {
      this.#fail(failure);
    }
  }

  async #exportChosen() {
    const keys = this.#keys.all.filter((key) => this.#chosen.has(key));
    const lines = [];
    try {
      for (let at = 0; at < keys.length; at += 100) {
        const batch = keys.slice(at, at + 100);
        const values = await api.values(this.#label, batch);
        values.forEach((value, index) => value && lines.push(`${JSON.stringify({ key: batch[index], value: toBase64(value.bytes) })}\n`));
      }
      download(new Blob(lines, { type: "application/jsonl" }), `${this.#label}.jsonl`);
      say(`${plural(lines.length, "key")} exported.`);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  async #import() {
    const done = await importFile(this.#label);
    if (!done) return;
    say(`${plural(done.entries, "key")} imported.`);
    await this.load();
    tell(this, "imported");
  }

  #count(text) {
    const count = this.querySelector(".count");
    if (count.textContent !== text) count.textContent = text;
  }

  #fail(failure) {
    const box = this.querySelector(".failure");
    box.hidden = !failure;
    box.firstElementChild.textContent = failure?.message ?? "";
    if (failure) this.#count("");
    if (failure?.status === 401) tell(this, "signed-out", failure.message);
  }
}

/** Whether anything on the page has the focus. What has been hidden may keep it until the page is drawn again. */
function hasFocus() {
  const { activeElement } = document;
  return activeElement !== null && activeElement !== document.body && activeElement.checkVisibility();
}

function preview(key, value) {
  if (!value) return "";
  if (key === PROMPT && value.size <= PREVIEW_BYTES && flaw(value.bytes)) return element("span", { className: "chip", textContent: `no ${PLACEHOLDER}` });
  const described = describe(value.bytes, key);
  if (described.number !== null) return described.number.toLocaleString("en");
  const outcome = outcomeOf(described);
  if (outcome) {
    const parts = document.createDocumentFragment();
    const { model } = described.record ?? {};
    const expected = mostSay(described.record);
    if (model) parts.append(modelName(model));
    if (expected && expected !== outcome) parts.append(verdict(false));
    parts.append(badge(outcome));
    return parts;
  }
  if (described.text !== null && value.size <= 40) return onOneLine(described.text);
  return sizeText(value.size);
}

customElements.define("entry-list", EntryList);
