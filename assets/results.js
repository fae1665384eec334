// @ts-check
/** Wires the page where the app serves it. */

import { results } from './api.js';
import { count } from './format.js';
import { part, showResults } from './results-page.js';

const refresh = /** @type {HTMLButtonElement} */ (part('#refresh'));
const made = /** @type {HTMLElement} */ (part('#made'));
const failure = /** @type {HTMLElement} */ (part('#failure'));
const announcer = /** @type {HTMLElement} */ (part('#announcer'));

refresh.addEventListener('click', show);
show();

async function show() {
  // It keeps the focus while it does nothing.
  if (refresh.getAttribute('aria-disabled') === 'true') return;
  refresh.setAttribute('aria-disabled', 'true');
  failure.textContent = '';
  announcer.textContent = '';
  try {
    const read = await results();
    announcer.textContent = `Results are here. ${showResults(read, true)}`;
    const time = new Date(read.at).toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
    made.textContent = `As of ${time}, read in ${count(Math.max(1, read.elapsed_ms))} ms`;
  } catch (error) {
    failure.textContent = error instanceof Error ? error.message : String(error);
  } finally {
    refresh.removeAttribute('aria-disabled');
  }
}
