// Small helpers for building the page. Text only ever becomes text.

/** @param {string} id @returns {DocumentFragment} */
export const fromTemplate = (id) =>
  /** @type {DocumentFragment} */ (/** @type {HTMLTemplateElement} */ (document.getElementById(id)).content.cloneNode(true));

/** An element with properties and children. @param {string} name @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Calls the handler of the button that was pressed, by its `data-do`. @param {Element} root
 * @param {Record<string, () => unknown>} handlers */
export function onPress(root, handlers) {
  root.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("button[data-do]");
    if (button instanceof HTMLButtonElement) handlers[button.dataset.do ?? ""]?.();
  });
}

/** A choice of one, as segments. @param {Element} fieldset @param {string} name @param {[string, string][]} choices
 * @param {string} chosen @param {(value: string) => void} onChoice */
export function segments(fieldset, name, choices, chosen, onChoice) {
  const labels = choices.map(([value, text]) => {
    const input = element("input", { type: "radio", name, value, checked: value === chosen });
    input.addEventListener("change", () => onChoice(value));
    return element("label", {}, input, element("span", { textContent: text }));
  });
  fieldset.replaceChildren(/** @type {Element} */ (fieldset.querySelector("legend")), ...labels);
}

/** Tells the rest of the page. @param {Element} from @param {string} type @param {unknown} [detail] */
export const tell = (from, type, detail) => from.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));

/** Lets the keyboard scroll an element that shows a part of its text. @param {HTMLElement} shown */
export function letScroll(shown) {
  shown.tabIndex = shown.scrollHeight > shown.clientHeight ? 0 : -1;
}

let hiding = 0;
/** Says something for a few seconds, in the bar, where it covers nothing. @param {string} text */
export function say(text) {
  const status = /** @type {HTMLElement} */ (document.getElementById("status"));
  status.textContent = text;
  clearTimeout(hiding);
  hiding = setTimeout(() => status.replaceChildren(), 5000);
}

/** @param {string} text */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is only the old way.
    const area = element("textarea", { value: text, readOnly: true, className: "visually-hidden" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied.`);
}

/** Lets the browser keep a file. @param {Blob} content @param {string} name */
export function download(content, name) {
  const address = URL.createObjectURL(content);
  const link = element("a", { href: address, download: name.replace(/[^\w.-]+/g, "_").slice(0, 80) || "value" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** A whole number with its thousands apart. The browser's own way would have the first rows wait until it has read its locales.
 * @param {number} amount */
export const grouped = (amount) => String(amount).replace(/\B(?=(\d{3})+$)/g, ",");

/** @param {number} amount @param {string} one @param {string} many */
export const plural = (amount, one, many = `${one}s`) => `${grouped(amount)} ${amount === 1 ? one : many}`;
