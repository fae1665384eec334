// @ts-check
/** Wires the page: reads the results, shows how far that has come, and hands the report to its parts. */
/** @import { Progress, Report } from './api.js' */

import { results } from './api.js';
import { count, duration, size } from './format.js';
import { ResultsComparisons } from './results-comparisons.js';
import { ResultsVariants } from './results-variants.js';
import { ResultsVerdict } from './results-verdict.js';

/** @param {string} selector @returns {any} */
const part = (selector) => document.querySelector(selector);
const refresh = /** @type {HTMLButtonElement} */ (part('#refresh'));
const made = /** @type {HTMLElement} */ (part('#made'));
const reading = /** @type {HTMLElement} */ (part('#reading'));
const bar = /** @type {HTMLProgressElement} */ (part('#progress'));
const failure = /** @type {HTMLElement} */ (part('#failure'));
const announcer = /** @type {HTMLElement} */ (part('#announcer'));
const report = /** @type {HTMLElement} */ (part('#report'));
const verdict = /** @type {ResultsVerdict} */ (part('results-verdict'));
const variants = /** @type {ResultsVariants} */ (part('results-variants'));
const comparisons = /** @type {ResultsComparisons} */ (part('results-comparisons'));

/** A small store is read before a bar could be seen: it shows only if it takes longer than this, in milliseconds. */
const AT_ONCE = 150;

refresh.addEventListener('click', show);
show();

async function show() {
  // It keeps the focus while it does nothing.
  if (refresh.getAttribute('aria-disabled') === 'true') return;
  refresh.setAttribute('aria-disabled', 'true');
  failure.textContent = '';
  announcer.textContent = '';
  bar.removeAttribute('value');
  const late = setTimeout(() => (reading.hidden = false), AT_ONCE);
  try {
    showReport(await results(showProgress));
  } catch (error) {
    failure.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(late);
    reading.hidden = true;
    refresh.removeAttribute('aria-disabled');
  }
}

/** @param {Progress} progress */
function showProgress({ label, variant, variants, read, total }) {
  bar.value = (variant - 1 + (total ? read / total : 1)) / variants;
  const text = `Reading ${label}: ${count(read)} of ${count(total)} records`;
  /** @type {HTMLElement} */ (reading.querySelector('label')).textContent = text;
}

/** @param {Report} document */
function showReport(document) {
  const { at, elapsed_ms: elapsed, method } = document;
  for (const element of [verdict, variants, comparisons]) element.report = document;
  const time = new Date(at).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
  made.textContent = `As of ${time}, read in ${duration(Math.max(1, elapsed))}`;
  part('#method').textContent = method.description;
  part('#plan').textContent = `Settled beforehand: the probability of ever naming a winner among equals is at most ${
    size(method.alpha)}%, nothing is decided before ${count(method.minimum_labelled)} labelled observations of each variant, `
    + `a difference of ${size(method.worth_finding)} points is worth finding, and the interval is tightest at ${
    count(method.planned)} observations.`;
  report.hidden = false;
  announcer.textContent = `Results are here. ${verdict.summary}`;
}
