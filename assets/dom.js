// @ts-check
/** Elements, made in one call. Text is always text, never markup. */
/** @import { TextTable } from './api.js' */

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node | string | number | null | undefined | false} Child what is nothing is left out */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined>} attributes `true` sets one without a value
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (fill(document.createElement(tag), attributes, children));
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {...(Child | Child[])} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (fill(document.createElementNS(SVG, tag), attributes, children));
}

/**
 * Gives an element new content.
 * @param {Element} parent
 * @param {...(Child | Child[])} children
 */
export function refill(parent, ...children) {
  parent.replaceChildren();
  fill(parent, {}, children);
}

/**
 * What a sentence consists of: text, and code where backticks enclose it.
 * @param {string} sentence
 * @returns {Child[]}
 */
export function prose(sentence) {
  return sentence.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part));
}

/**
 * A table with a caption, and a name at the head of each column and row. One that is too wide scrolls.
 * @param {string} caption
 * @param {Child[]} columns the first is that of the rows' names, and may be empty
 * @param {[Child, ...Child[]][]} rows
 */
export function table(caption, columns, rows) {
  const frame = element('div', { class: 'scroll', role: 'group', 'aria-label': caption },
    element('table', {},
      element('caption', {}, caption),
      element('thead', {}, element('tr', {}, columns.map((name) => (name ? element('th', { scope: 'col' }, name) : element('td'))))),
      element('tbody', {}, rows.map(([name, ...cells]) =>
        element('tr', {}, element('th', { scope: 'row' }, name), cells.map((cell) => element('td', {}, cell)))))));
  scrollers.observe(frame);
  return frame;
}

/**
 * A table of text; `head` has other things than text for the names of its columns.
 * @param {TextTable} text
 * @param {Child[]} [head]
 */
export function textTable({ caption, head: names, rows }, head = names) {
  return table(caption, head, /** @type {[string, ...string[]][]} */ (rows));
}

/** What scrolls can be reached with the keyboard; what does not is no stop on the way. */
const scrollers = new ResizeObserver((entries) => {
  for (const { target } of entries) target.toggleAttribute('tabindex', false);
  for (const { target } of entries) if (target.scrollWidth > target.clientWidth) target.setAttribute('tabindex', '0');
});

/**
 * A variant's name in the colour of its place in the experiment.
 * @param {string} label
 * @param {number} series
 */
export const variantName = (label, series) => element('span', { class: 'variant', 'data-series': series }, label);

/**
 * @param {Element} parent
 * @param {Record<string, string | number | boolean | undefined>} attributes
 * @param {(Child | Child[])[]} children
 */
function fill(parent, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) parent.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}
