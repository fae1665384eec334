// @ts-check
/** Wires the page where it is a file: what it shows is in it. */

import { element, refill } from './dom.js';
import { part, showResults } from './results-page.js';

const results = JSON.parse(part('#data').textContent);
document.title = results.title;
refill(part('#facts'), results.facts.map((/** @type {string} */ fact) => element('li', {}, fact)));
showResults(results, false);
