// Questions and forms over the page.

import * as api from "./api.js";
import { element, fromTemplate, grouped, plural } from "./dom.js";
import { fromBase64, toUtf8 } from "./bytes.js";
import { PROMPT } from "./keys.js";
import { effects } from "./prompt.js";

const NAMED = 5;
// Well under what the server takes at once.
const PART = 4 << 20;

/** Asks before something is done. @param {{title: string, text?: string, warnings?: string[], list?: string[], yes: string}} question
 * @returns {Promise<boolean>} */
export function confirm({ title, text = "", warnings = [], list = [], yes }) {
  const dialog = open("confirm-template");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector(".confirm-text").textContent = text;
  warn(dialog, warnings);
  const named = list.slice(0, NAMED).map((line) => element("li", { textContent: line }));
  if (list.length > NAMED) named.push(element("li", { className: "muted", textContent: `and ${grouped(list.length - NAMED)} more` }));
  dialog.querySelector(".confirm-list").replaceChildren(...named);
  dialog.querySelector(".primary").textContent = yes;
  dialog.querySelector('[value="no"]').focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes")));
}

/** Asks before the prompt is changed where that does something that a person may not want.
 * @param {string} label @param {string} key @param {Uint8Array} bytes its new value @returns {Promise<boolean>} whether to go on */
export async function mayWrite(label, key, bytes) {
  if (key !== PROMPT) return true;
  const warnings = await effects(label, bytes);
  return !warnings.length || confirm({ title: `Change the prompt in ${label}?`, warnings, yes: "Save anyway" });
}

/** Adds a key. @param {string} label @param {string} suggestion @returns {Promise<string | null>} the key */
export function addKey(label, suggestion) {
  const dialog = open("add-template");
  const { key, value } = dialog.querySelector("form").elements;
  dialog.querySelector("h2").textContent = `Add a key to ${label}`;
  key.value = suggestion;
  key.focus();
  key.addEventListener("keydown", (event) => {
    // With Shift, Enter adds a line to the key, as in a text field elsewhere.
    if (event.key !== "Enter" || event.shiftKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    value.focus();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) dialog.querySelector("form").requestSubmit();
  });
  return form(dialog, async () => {
    const bytes = toUtf8(value.value);
    if (!key.value.trim()) {
      key.focus();
      throw new Error("Enter a key.");
    }
    // Where there is a prompt already, the server says so.
    const [there] = key.value === PROMPT ? await api.values(label, [PROMPT], 0) : [];
    if (!there && !(await mayWrite(label, key.value, bytes))) return null;
    await api.add(label, key.value, bytes);
    return key.value;
  });
}

/** Imports a file. @param {string} label @returns {Promise<{entries: number} | null>} */
export function importFile(label) {
  const dialog = open("import-template");
  const { file } = dialog.querySelector("form").elements;
  const [plan, go] = [dialog.querySelector(".import-plan"), dialog.querySelector(".primary")];
  dialog.querySelector("h2").textContent = `Import into ${label}`;
  let parts = [];
  file.addEventListener("change", async () => {
    go.disabled = true;
    fail(dialog, null);
    warn(dialog, []);
    plan.textContent = "Checking the file…";
    try {
      parts = await split(file.files[0]);
      const found = await each(parts, (part) => api.imported(label, part, true));
      const warnings = await promptWarnings(label, parts);
      plan.textContent = `${plural(found.entries, "key")}: ${grouped(found.created)} new, ${grouped(found.replaced)} replaced, ${grouped(found.unchanged)} unchanged.`;
      warn(dialog, warnings);
      go.textContent = warnings.length ? "Import anyway" : "Import";
      go.classList.toggle("danger", warnings.length > 0);
      go.disabled = found.entries === 0;
    } catch (failure) {
      plan.textContent = "";
      fail(dialog, failure);
    }
  });
  return form(dialog, () => each(parts, (part) => api.imported(label, part, false)));
}

/** What a prompt in a file does that a person may not want. */
async function promptWarnings(label, parts) {
  const entries = parts.flatMap(({ text }) => api.fromLines(text.split("\n")));
  const prompt = entries.find(({ key }) => key === PROMPT);
  return prompt ? effects(label, fromBase64(prompt.value), new Set(entries.map(({ key }) => key))) : [];
}

/** Cuts a file at line ends into parts that the server takes, and says where each begins.
 * @param {File | undefined} file */
async function split(file) {
  if (!file) return [];
  const parts = [];
  let [lines, size, first, number] = [[], 0, 1, 1];
  for (const line of (await file.text()).split("\n")) {
    if (size + line.length > PART && lines.length) {
      parts.push({ first, text: lines.join("\n") });
      [lines, size, first] = [[], 0, number];
    }
    lines.push(line);
    size += line.length + 1;
    number += 1;
  }
  parts.push({ first, text: lines.join("\n") });
  return parts;
}

async function each(parts, send) {
  const sum = { entries: 0, created: 0, replaced: 0, unchanged: 0 };
  for (const { first, text } of parts) {
    try {
      const answer = await send(text);
      for (const name of Object.keys(sum)) sum[name] += answer[name];
    } catch (failure) {
      // The server counts the lines of a part; a person counts those of the file.
      failure.message = failure.message.replace(/^Line (\d+)/, (_, line) => `Line ${Number(line) + first - 1}`);
      throw failure;
    }
  }
  return sum;
}

function open(template) {
  const dialog = /** @type {HTMLDialogElement} */ (fromTemplate(template).firstElementChild);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  return dialog;
}

/** Runs a dialog's form until it gives something or is cancelled; null is the latter. */
function form(dialog, submit) {
  return new Promise((resolve) => {
    let result = null;
    let busy = false;
    dialog.addEventListener("close", () => resolve(result));
    dialog.querySelector('[data-do="cancel"]').addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", async (event) => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      fail(dialog, null);
      try {
        result = await submit();
        if (result !== null) dialog.close();
      } catch (failure) {
        fail(dialog, failure);
      }
      busy = false;
    });
  });
}

function warn(dialog, warnings) {
  dialog.querySelector(".warnings").replaceChildren(...warnings.map((line) => element("p", { textContent: line })));
}

function fail(dialog, failure) {
  const box = dialog.querySelector(".error");
  box.hidden = !failure;
  box.textContent = failure?.message ?? "";
}
