// @ts-check
/** Hands results to the parts of the page. */
/** @import { Results } from './api.js' */

import { element, refill } from './dom.js';
import { ResultsComparisons } from './results-comparisons.js';
import { ResultsConclusion } from './results-conclusion.js';
import { ResultsEvaluation } from './results-evaluation.js';
import { ResultsVariants } from './results-variants.js';

/** @param {string} selector @returns {any} */
export const part = (selector) => document.querySelector(selector);

const conclusion = /** @type {ResultsConclusion} */ (part('results-conclusion'));
const variants = /** @type {ResultsVariants} */ (part('results-variants'));
const comparisons = /** @type {ResultsComparisons} */ (part('results-comparisons'));
const evaluation = /** @type {ResultsEvaluation} */ (part('results-evaluation'));

/**
 * Shows results, and gives the conclusion's heading.
 * @param {Results} results
 * @param {boolean} served whether the app answers where this page is from
 */
export function showResults(results, served) {
  conclusion.served = comparisons.served = served;
  for (const shown of [conclusion, variants, comparisons, evaluation]) shown.results = results;
  // Without observations there are no charts.
  variants.hidden = comparisons.hidden = results.variants.every(({ n }) => n === 0);
  part('#model-note span').textContent = results.model_note ?? '';
  part('#model-note').hidden = !results.model_note;
  const { assignments, method } = results.presentation;
  refill(part('#method'), [...assignments, ...method].map((text) => element('p', {}, text)));
  part('#report').hidden = false;
  return conclusion.summary;
}
