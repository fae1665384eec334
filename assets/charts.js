// @ts-check
/**
 * Charts as inline SVG. Lengths along the axis are percentages, so that a chart takes any width and its text keeps its size.
 * Each has a title and a description that say in words what it shows; the page has the same numbers in a table.
 */
/** @import { Comparison, TextTable, VariantReport } from './api.js' */

import { svg } from './dom.js';
import { count, percent, points } from './format.js';

const ROW = 44;
const AXIS = 26;

/** Charts on this page so far, for ids of their own. */
let charts = 0;

/**
 * Accuracy of each variant: a dot for what was observed, a line for its interval.
 * @param {VariantReport[]} variants
 * @param {string[]} texts the accuracies in words
 */
export function accuracyChart(variants, texts) {
  const description = variants.map(({ label }, series) => `${label}: ${texts[series]}.`);
  const rows = variants.map(({ label, accuracy }, series) => svg('g', { 'data-series': series },
    svg('text', { class: 'name', x: 0, y: series * ROW + 14 }, label),
    svg('text', { class: 'value', x: '100%', y: series * ROW + 14, 'text-anchor': 'end' }, texts[series]),
    svg('line', { class: 'track', ...span(0, 1), ...level(series * ROW + 28) }),
    accuracy && interval(accuracy.low, accuracy.high, accuracy.value, series * ROW + 28)));
  const ticks = [0, 25, 50, 75, 100].map((share) => tick(share / 100, `${share}%`, variants.length * ROW));
  return chart('Accuracy', description.join(' '), variants.length * ROW + AXIS, [...ticks, ...rows]);
}

/**
 * Shares of the outcomes of each variant, stacked.
 * @param {VariantReport[]} variants
 * @param {TextTable} texts the shares in words, a column for each variant
 */
export function outcomeChart(variants, { rows: texts }) {
  const description = variants.map(({ label }, series) =>
    `${label}: ${texts.map(([name, ...cells]) => `${name} ${cells[series]}`).join(', ')}.`);
  const rows = variants.map(({ label, n, outcomes }, series) => {
    let start = 0;
    const bars = outcomes.map(({ outcome, share }) => {
      const width = share ?? 0;
      const from = start;
      start += width;
      return width > 0 && svg('g', { 'data-outcome': outcome },
        svg('rect', { x: `${from * 100}%`, y: series * ROW + 20, width: `${width * 100}%`, height: 18 }),
        width > 0.12 && svg('text', { class: 'inside', x: `${(from + width / 2) * 100}%`, y: series * ROW + 33, 'text-anchor': 'middle' }, percent(width)));
    });
    return svg('g', { 'data-series': series },
      svg('text', { class: 'name', x: 0, y: series * ROW + 14 }, label),
      svg('text', { class: 'value', x: '100%', y: series * ROW + 14, 'text-anchor': 'end' }, `n ${count(n)}`),
      svg('rect', { class: 'empty-bar', x: 0, y: series * ROW + 20, width: '100%', height: 18 }),
      bars);
  });
  return chart('Outcomes', description.join(' '), variants.length * ROW, rows);
}

/**
 * The difference of two accuracies, by annotations where there are any: its interval, the fixed one on it where it is another, and
 * zero.
 * @param {Comparison} comparison
 * @param {string} description in one sentence
 */
export function differenceChart({ first, second, annotated, difference: labelled }, description) {
  const difference = annotated?.difference ?? labelled;
  if (!difference) return null;
  const { value, deciding, fixed } = difference;
  const ends = [deciding.low, deciding.high, fixed.low, fixed.high].map(Math.abs);
  const reach = Math.min(1, Math.ceil(Math.max(0.05, ...ends) * 20) / 20);
  const place = (/** @type {number} */ at) => (at + reach) / (2 * reach);
  const y = 36;
  return chart('Difference in accuracy', description, 84, [
    svg('text', { class: 'value', x: 0, y: 14 }, `← ${first} better`),
    svg('text', { class: 'value', x: '100%', y: 14, 'text-anchor': 'end' }, `${second} better →`),
    [-reach, -reach / 2, 0, reach / 2, reach].map((at) => tick(place(at), points(at), 58)),
    svg('line', { class: 'zero', ...span(0.5, 0.5), y1: 20, y2: 58 }),
    interval(place(deciding.low), place(deciding.high), place(value), y),
    fixed.low !== deciding.low && svg('line', { class: 'fixed', ...span(place(fixed.low), place(fixed.high)), ...level(y) }),
    svg('circle', { cx: along(place(value)), cy: y, r: 6 }),
  ]);
}

/**
 * @param {string} title
 * @param {string} description
 * @param {number} height
 * @param {Parameters<typeof svg>[2][]} content
 */
function chart(title, description, height, content) {
  const id = `chart-${++charts}`;
  return svg('svg', { class: 'chart', role: 'img', width: '100%', height, 'aria-labelledby': `${id}-title ${id}-desc` },
    svg('title', { id: `${id}-title` }, title),
    svg('desc', { id: `${id}-desc` }, description),
    .../** @type {(Node | false)[]} */ (content.flat()));
}

/** @param {number} low @param {number} high @param {number} value @param {number} y */
function interval(low, high, value, y) {
  return svg('g', { class: 'interval' },
    svg('line', { ...span(low, high), ...level(y) }),
    [low, high].map((end) => svg('line', { ...span(end, end), y1: y - 6, y2: y + 6 })),
    svg('circle', { cx: along(value), cy: y, r: 6 }));
}

/** @param {number} at @param {string} text @param {number} y */
function tick(at, text, y) {
  const anchor = at < 0.05 ? 'start' : at > 0.95 ? 'end' : 'middle';
  return svg('g', { class: 'tick' },
    svg('line', { ...span(at, at), y1: y, y2: y + 5 }),
    svg('text', { x: anchor === 'middle' ? along(at) : `${at * 100}%`, y: y + 20, 'text-anchor': anchor }, text));
}

/** A place on the axis: a little from the edges, so that a dot at an end is whole. @param {number} at in 0 to 1 */
const along = (at) => `${1.5 + at * 97}%`;

/** @param {number} from @param {number} to */
const span = (from, to) => ({ x1: along(from), x2: along(to) });

/** @param {number} y */
const level = (y) => ({ y1: y, y2: y });
