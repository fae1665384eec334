// A list of any length of which only the rows in sight exist. It is a grid to assistive technology: it says how many rows
// there are, which of them each one is, and which one is active.

const ROW = 44;
// Browsers do not lay out elements of more than some 16 million pixels; longer lists are scrolled in proportion.
const TALLEST = 15_000_000;
const SPARE = 6;

/**
 * Fires `open` (detail: index), `toggle` (detail: {index, range}), `move` (detail: index), `remove` and `all`.
 */
class VirtualList extends HTMLElement {
  #count = 0;
  #active = 0;
  // What the browser would have to lay the page out for, as it was seen last. Before that the window's height will do.
  #clientHeight = innerHeight;
  #scrollTop = 0;
  #rows = new Map();
  #spacer = document.createElement("div");
  /** @type {() => HTMLElement} */
  #make = () => document.createElement("div");
  /** @type {(row: HTMLElement, index: number) => void} */
  #fill = () => {};

  connectedCallback() {
    this.setAttribute("role", "grid");
    this.tabIndex = 0;
    this.#spacer.setAttribute("role", "rowgroup");
    this.append(this.#spacer);
    this.addEventListener("scroll", () => this.#look(), { passive: true });
    this.addEventListener("keydown", (event) => this.#onKey(event));
    this.addEventListener("click", (event) => this.#onClick(event));
    new ResizeObserver(() => this.#look()).observe(this);
  }

  /** How a row is made, and how it is filled. @param {() => HTMLElement} make
   * @param {(row: HTMLElement, index: number) => void} fill */
  rows(make, fill) {
    this.#make = make;
    this.#fill = fill;
  }

  /** Shows so many rows. @param {number} count @param {boolean} [fromTop] */
  show(count, fromTop = false) {
    this.#count = count;
    this.#active = Math.min(fromTop ? 0 : this.#active, Math.max(count - 1, 0));
    this.#spacer.style.height = `${this.#height}px`;
    this.setAttribute("aria-rowcount", String(count));
    const lowest = Math.max(0, this.#height - this.#clientHeight);
    if (this.#scrollTop > (fromTop ? 0 : lowest)) this.scrollTop = this.#scrollTop = fromTop ? 0 : lowest;
    this.#draw(true);
  }

  /** Fills the rows in sight again. */
  redraw() {
    this.#draw(true);
  }

  get active() {
    return this.#active;
  }

  /** Makes a row the active one and brings it into sight. @param {number} index */
  activate(index) {
    if (index < 0 || index >= this.#count) return;
    this.#active = index;
    const top = this.#topOf(index);
    if (top < this.#scrollTop) this.#scrollTo(this.#scrollFor(index, 0));
    else if (top + ROW > this.#scrollTop + this.#clientHeight) this.#scrollTo(this.#scrollFor(index, this.#clientHeight - ROW));
    this.#draw(true);
  }

  /** The rows in sight. @returns {[number, number]} the first, and the one after the last */
  get inSight() {
    const first = Math.floor(this.#position / ROW);
    return [Math.max(0, first), Math.min(this.#count, Math.ceil((this.#position + this.#clientHeight) / ROW))];
  }

  get #height() {
    return Math.min(this.#count * ROW, TALLEST);
  }

  /** How far the list is scrolled, in pixels of rows rather than of the element. */
  get #position() {
    const [real, shown] = [this.#count * ROW - this.#clientHeight, this.#height - this.#clientHeight];
    return real > shown && shown > 0 ? (this.#scrollTop / shown) * real : this.#scrollTop;
  }

  #topOf(index) {
    return index * ROW - this.#position + this.#scrollTop;
  }

  #scrollFor(index, offset) {
    const position = index * ROW - offset;
    const [real, shown] = [this.#count * ROW - this.#clientHeight, this.#height - this.#clientHeight];
    return real > shown && shown > 0 ? (position / real) * shown : position;
  }

  /** Takes note of where the list stands, which the browser has just worked out. */
  #look() {
    // While it is hidden it stands nowhere.
    if (!this.clientHeight) return;
    [this.#clientHeight, this.#scrollTop] = [this.clientHeight, this.scrollTop];
    this.#draw(false);
  }

  #scrollTo(top) {
    this.scrollTop = top;
    // No further than the list goes.
    this.#scrollTop = this.scrollTop;
  }

  #draw(again) {
    const [first, end] = this.inSight;
    const [from, to] = [Math.max(0, first - SPARE), Math.min(this.#count, end + SPARE)];
    const idle = [];
    for (const [index, row] of this.#rows) {
      if (index >= from && index < to) continue;
      this.#rows.delete(index);
      idle.push(row);
    }
    for (let index = from; index < to; index += 1) {
      let row = this.#rows.get(index);
      const fresh = !row;
      if (!row) {
        row = idle.pop() ?? this.#make();
        row.id = `${this.id || "row"}-${index}`;
        row.setAttribute("aria-rowindex", String(index + 1));
        this.#rows.set(index, row);
        if (row.parentNode !== this.#spacer) this.#spacer.append(row);
      }
      if (fresh || again) this.#fill(row, index);
      row.classList.toggle("active", index === this.#active);
      row.style.transform = `translateY(${this.#topOf(index)}px)`;
    }
    for (const row of idle) row.remove();
    const active = this.#rows.get(this.#active);
    if (active) this.setAttribute("aria-activedescendant", active.id);
    else this.removeAttribute("aria-activedescendant");
    this.dispatchEvent(new CustomEvent("drawn"));
  }

  #onKey(event) {
    const page = Math.max(1, Math.floor(this.#clientHeight / ROW) - 1);
    const target = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      PageDown: Math.min(this.#active + page, this.#count - 1),
      PageUp: Math.max(this.#active - page, 0),
      Home: 0,
      End: this.#count - 1,
    }[event.key];
    const tell = (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail }));
    if (target !== undefined) {
      if (event.shiftKey && target >= 0 && target < this.#count) tell("toggle", { index: target, range: true });
      this.activate(target);
      tell("move", this.#active);
    } else if (event.key === "Enter") tell("open", this.#active);
    else if (event.key === " ") tell("toggle", { index: this.#active, range: event.shiftKey });
    else if (event.key === "Delete") tell("remove");
    else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) tell("all");
    else return;
    event.preventDefault();
  }

  #onClick(event) {
    const row = event.target.closest('[role="row"]');
    if (!row) return;
    const index = Number(row.getAttribute("aria-rowindex")) - 1;
    const choosing = event.target.closest(".tick") || event.shiftKey || event.ctrlKey || event.metaKey;
    const [type, detail] = choosing ? ["toggle", { index, range: event.shiftKey }] : ["open", index];
    // The list hears where a range begins before the row becomes the active one.
    this.dispatchEvent(new CustomEvent(type, { detail }));
    this.activate(index);
  }
}

customElements.define("virtual-list", VirtualList);
