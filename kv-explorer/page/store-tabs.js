// The stores, as links, so that each can be opened in a tab of its own.

import * as api from "./api.js";
import { element, grouped } from "./dom.js";

class StoreTabs extends HTMLElement {
  /** @type {Map<string, HTMLAnchorElement>} */
  #links = new Map();
  /** @type {Map<string, number>} */
  #counts = new Map();

  /** @param {{label: string, error?: string}[]} stores */
  set stores(stores) {
    this.#links.clear();
    const items = stores.map(({ label, error }) => {
      const link = element("a", { href: `#${new URLSearchParams({ store: label })}` }, element("span", { textContent: label }), element("span", { className: "tab-count" }));
      if (error) {
        link.classList.add("broken");
        link.title = error;
      }
      this.#links.set(label, link);
      return element("li", {}, link);
    });
    for (const [label, count] of this.#counts) this.counted(label, count);
    this.replaceChildren(element("nav", { ariaLabel: "Stores" }, element("ul", {}, ...items)));
  }

  /** @param {string | null} label */
  set current(label) {
    for (const [known, link] of this.#links) {
      if (known === label) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /** @param {string} label @param {number} count how many keys it has beside the prompt and tallies */
  counted(label, count) {
    this.#counts.set(label, count);
    const badge = this.#links.get(label)?.lastElementChild;
    if (badge) badge.textContent = grouped(count);
  }

  /** Counts the stores whose keys have not been read. */
  async countOthers() {
    for (const [label, link] of this.#links) {
      if (this.#counts.has(label) || link.classList.contains("broken")) continue;
      try {
        this.counted(label, await api.count(label));
      } catch {
        // The store says what is wrong when it is opened.
      }
    }
  }
}

customElements.define("store-tabs", StoreTabs);
