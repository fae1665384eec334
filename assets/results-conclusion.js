// @ts-check
/** @import { Conclusion, Results } from './api.js' */

import { element, prose, refill } from './dom.js';

/**
 * Which variant is better, or what is still needed to say so, and what endangers that conclusion. Takes `served`, and then
 * `results`.
 */
export class ResultsConclusion extends HTMLElement {
  /** Whether the app answers where this page is from. */
  served = false;
  /** What it says first. */
  summary = '';

  /** @param {Results} results */
  set results({ presentation: { conclusion }, decision, warnings }) {
    this.summary = conclusion.heading;
    refill(this,
      element('section', { class: `card conclusion ${conclusion.settled ? 'settled' : ''}`, 'aria-labelledby': 'conclusion-title' },
        element('h2', { id: 'conclusion-title' }, conclusion.heading),
        element('p', {}, prose(conclusion.text)),
        this.#next(conclusion, decision?.winner)),
      warnings.length > 0 && element('section', { class: 'card', 'aria-labelledby': 'warnings-title' },
        element('h2', { id: 'warnings-title' }, 'Before you conclude'),
        element('ul', { class: 'warnings' }, warnings.map(({ message, advice }) =>
          element('li', {}, element('strong', {}, prose(message)), ' ', prose(advice))))));
  }

  /**
   * @param {Conclusion} conclusion
   * @param {string | null | undefined} winner
   */
  #next({ next }, winner) {
    if (next?.step === 'promote') return element('p', {}, `${next.text}: `, element('code', {}, `cargo ab promote ${winner}`));
    if (!next) return null;
    const href = next.step === 'annotate' ? '/annotate' : '/';
    return element('p', {}, this.served ? element('a', { class: 'call', href }, next.text) : `${next.text}.`);
  }
}

customElements.define('results-conclusion', ResultsConclusion);
