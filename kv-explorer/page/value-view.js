// One value: shown in the way that suits it, edited in place.

import * as api from "./api.js";
import { fromHex, sizeText, toHex, toUtf8 } from "./bytes.js";
import { confirm, mayWrite } from "./dialogs.js";
import { copy, download, fromTemplate, letScroll, onPress, say, segments, tell } from "./dom.js";
import { onOneLine, PROMPT } from "./keys.js";
import { effects, fingerprint, flaw } from "./prompt.js";
import { shown, ways } from "./value-parts.js";
import { describe } from "./value.js";

/** Fires `open` (null) to close, `written` (key), `removed` (key) and `signed-out`. */
class ValueView extends HTMLElement {
  /** @type {string | null} */
  #label = null;
  /** @type {string | null} */
  #key = null;
  /** @type {import("./value.js").Described | null} */
  #value = null;
  #tag = "";
  #way = "text";
  #asHex = false;
  #lineEnd = "\n";
  #stale = false;
  #saving = false;
  #loading = new AbortController();

  connectedCallback() {
    this.append(fromTemplate("value-view-template"));
    this.body = this.querySelector(".value-body");
    this.editor = this.querySelector(".editor");
    this.area = this.querySelector("textarea");
    onPress(this, {
      close: () => tell(this, "open", null),
      "copy-key": () => copy(this.#key ?? "", "Key"),
      copy: () => copy(this.#way === "bytes" ? toHex(this.#value.bytes) : String(this.#value.number ?? this.#value.text ?? ""), "Value"),
      download: () => download(new Blob([this.#value.bytes], { type: "application/octet-stream" }), this.#key || "empty-key"),
      edit: () => this.#edit(),
      cancel: () => this.#stopEditing(),
      delete: () => this.#delete(),
    });
    this.editor.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.editor.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#stopEditing();
      if ((event.ctrlKey || event.metaKey) && (event.key === "Enter" || event.key === "s")) {
        event.preventDefault();
        this.#save();
      }
    });
  }

  set readOnly(readOnly) {
    for (const name of ["edit", "delete"]) this.querySelector(`[data-do="${name}"]`).hidden = readOnly;
  }

  /** Whether something typed would be lost. */
  get dirty() {
    return !this.editor.hidden && this.area.value !== this.area.defaultValue;
  }

  focusKey() {
    this.querySelector(".value-key").focus();
  }

  /** Shows the value of a key, or that none is chosen. */
  show(label, key) {
    this.querySelector(".placeholder-title").textContent = label;
    if (label === this.#label && key === this.#key) return;
    [this.#label, this.#key] = [label, key];
    this.load();
  }

  async load() {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const key = this.#key;
    this.querySelector(".placeholder").hidden = key !== null;
    this.querySelector(".value").hidden = key === null;
    this.#closeEditor();
    this.#fail(null);
    if (key === null) return;
    const heading = this.querySelector(".value-key");
    heading.textContent = key === "" ? onOneLine(key) : key;
    heading.classList.toggle("nameless", key === "");
    letScroll(heading);
    try {
      const { bytes, tag } = await api.value(this.#label, key, signal);
      [this.#value, this.#tag] = [describe(bytes, key), tag];
      this.#show(this.#value.kind);
    } catch (failure) {
      if (signal.aborted) return;
      this.#value = null;
      this.#fail(failure);
      this.#enable(false);
      this.body.replaceChildren();
      this.querySelector(".notice").hidden = true;
      this.querySelector(".value-foot").textContent = "";
      this.querySelector(".segments").hidden = true;
    }
  }

  #show(way) {
    this.#way = way;
    this.#enable(true);
    const choices = ways(this.#value);
    const fieldset = this.querySelector(".segments");
    fieldset.hidden = choices.length < 2;
    if (fieldset.querySelector("input:checked")?.value !== way || fieldset.querySelectorAll("input").length !== choices.length) {
      segments(fieldset, "way", choices, way, (chosen) => this.#show(chosen));
    }
    this.body.replaceChildren(shown(this.#value, way));
    this.body.scrollTop = 0;
    const kind = { record: "Observation", json: "JSON", text: "Text", bytes: "Binary", counter: "Counter" }[this.#value.kind];
    const isPrompt = this.#key === PROMPT;
    const said = isPrompt ? flaw(this.#value.bytes) : null;
    this.querySelector(".value-foot").textContent = `${kind}, ${sizeText(this.#value.bytes.length)}${isPrompt ? `, fingerprint ${fingerprint(this.#tag)}` : ""}`;
    const notice = this.querySelector(".notice");
    notice.hidden = said === null;
    notice.textContent = said ?? "";
  }

  #edit() {
    const { text, bytes } = this.#value;
    // A text field turns every line end into one kind: a text with two kinds could not be saved as it was.
    const ends = new Set(text?.match(/\r\n|\r|\n/g));
    this.#asHex = text === null || this.#way === "bytes" || ends.size > 1 || ends.has("\r");
    this.#lineEnd = ends.has("\r\n") ? "\r\n" : "\n";
    this.#stale = false;
    this.area.value = this.#asHex ? toHex(bytes) : text;
    this.area.defaultValue = this.area.value;
    this.area.classList.toggle("hex", this.#asHex);
    this.querySelector(".editor-label").textContent = this.#asHex ? "Value in hexadecimal" : "Value";
    this.querySelector(".editor-note").textContent = this.#lineEnd === "\r\n" && !this.#asHex ? "Line endings: CRLF" : "";
    this.#setEditing(true);
    this.area.focus();
    this.area.setSelectionRange(0, 0);
    this.area.scrollTop = 0;
  }

  async #stopEditing() {
    if (this.dirty && !(await confirm({ title: "Discard your changes?", yes: "Discard" }))) return;
    const stale = this.#stale;
    this.#closeEditor();
    this.querySelector('[data-do="edit"]').focus();
    if (stale) this.load();
  }

  #closeEditor() {
    this.#setEditing(false);
    this.#fail(null);
    this.area.value = this.area.defaultValue = "";
  }

  #setEditing(editing) {
    this.editor.hidden = !editing;
    this.body.hidden = editing;
    this.querySelector(".value-tools").hidden = editing;
    this.querySelector(".editor .primary").textContent = "Save";
  }

  async #save() {
    if (this.#saving) return;
    this.#saving = true;
    await this.#trySave();
    this.#saving = false;
  }

  async #trySave() {
    const typed = this.area.value;
    const bytes = this.#asHex ? fromHex(typed) : toUtf8(typed.replaceAll("\n", this.#lineEnd));
    if (!bytes) {
      this.#fail({ message: "This is not hexadecimal. Write two digits for each byte." });
      return;
    }
    const [label, key] = [this.#label, this.#key];
    try {
      if (!(await mayWrite(label, key, bytes))) return;
      const tag = await api.replace(label, key, bytes, this.#stale ? "" : this.#tag);
      if (label !== this.#label || key !== this.#key) return;
      [this.#value, this.#tag] = [describe(bytes, key), tag];
      this.#closeEditor();
      this.#show(this.#value.kind);
      this.querySelector('[data-do="edit"]').focus();
      say("Saved.");
      tell(this, "written", key);
    } catch (failure) {
      if (failure.status === 412) {
        this.#stale = true;
        this.querySelector(".editor .primary").textContent = "Overwrite anyway";
        this.#fail({ message: "The value has changed since you opened it. Cancel to see the current value." });
      } else this.#fail(failure);
    }
  }

  async #delete() {
    const [label, key] = [this.#label, this.#key];
    try {
      const warnings = key === PROMPT ? await effects(label, null) : [];
      const text = "This cannot be undone.";
      if (!(await confirm({ title: `Delete this key from ${label}?`, text, warnings, list: [onOneLine(key)], yes: "Delete" }))) return;
      await api.remove(label, key);
      say("Key deleted.");
      tell(this, "removed", key);
    } catch (failure) {
      this.#fail(failure);
    }
  }

  #enable(enabled) {
    for (const button of this.querySelectorAll(".value-tools button")) button.disabled = !enabled;
  }

  #fail(failure) {
    const box = this.querySelector(".failure");
    box.hidden = !failure;
    box.firstElementChild.textContent = failure?.message ?? "";
    if (failure?.status === 401) tell(this, "signed-out", failure.message);
  }
}

customElements.define("value-view", ValueView);
