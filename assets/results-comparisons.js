// @ts-check
/** @import { Comparison, Results } from './api.js' */

import { differenceChart } from './charts.js';
import { element, prose, refill, textTable } from './dom.js';

/** Each two variants compared. Takes `served`, and then `results`. */
export class ResultsComparisons extends HTMLElement {
  /** Whether the app answers where this page is from. */
  served = false;

  /** @param {Results} results */
  set results({ comparisons, presentation, method, disagreements }) {
    refill(this, comparisons.map((comparison, index) => {
      const { title, text, chart, figures } = presentation.comparisons[index];
      const id = `comparison-${index}`;
      return element('section', { class: 'card', 'aria-labelledby': id },
        element('h2', { id }, title),
        element('p', {}, prose(text), ' ', this.#whereTheyDisagree(comparison, disagreements)),
        chart && differenceChart(comparison, chart),
        chart && method.looks === 'any' && element('p', { class: 'note' }, comparison.annotated?.difference
          ? 'By annotations. The interval holds however often you look.'
          : 'By visitors’ votes, which decide nothing. The thin line is the always-valid interval, the thick one the fixed 95% interval.'),
        figures && textTable(figures));
    }));
  }

  /**
   * A link to the sentences to which the two gave different answers: in the page itself, or in the explorer.
   * @param {Comparison} comparison
   * @param {Results['disagreements']} listed
   */
  #whereTheyDisagree({ first, second, seen_by_both: seen }, listed) {
    if (!seen.differ) return null;
    if (listed) return element('a', { href: '#disagreements' }, 'See where they disagree.');
    const place = new URLSearchParams({ store: first, against: second });
    return this.served && element('a', { href: `/internal/kv-explorer/#${place}` }, 'See their answers side by side in the explorer.');
  }
}

customElements.define('results-comparisons', ResultsComparisons);
