// @ts-check
/** Wires the page where the app serves it: reads the results and shows how far that has come. */
/** @import { Progress } from './api.js' */

import { results } from './api.js';
import { count } from './format.js';
import { part, showResults } from './results-page.js';

const refresh = /** @type {HTMLButtonElement} */ (part('#refresh'));
const made = /** @type {HTMLElement} */ (part('#made'));
const reading = /** @type {HTMLElement} */ (part('#reading'));
const bar = /** @type {HTMLProgressElement} */ (part('#progress'));
const failure = /** @type {HTMLElement} */ (part('#failure'));
const announcer = /** @type {HTMLElement} */ (part('#announcer'));

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
    const read = await results(showProgress);
    announcer.textContent = `Results are here. ${showResults(read, true)}`;
    const time = new Date(read.at).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
    made.textContent = `As of ${time}, read in ${count(Math.max(1, read.elapsed_ms))} ms`;
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
