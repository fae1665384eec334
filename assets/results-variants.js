// @ts-check
/** @import { Results, TextTable, VariantReport } from './api.js' */

import { accuracyChart, outcomeChart } from './charts.js';
import { element, refill, textTable, variantName } from './dom.js';

/** What was observed of each variant: accuracy, outcomes, latency, tokens. Takes `results`. */
export class ResultsVariants extends HTMLElement {
  /** @param {Results} results */
  set results({ variants, presentation, method }) {
    const { accuracies, confusions, outcomes, variants: numbers } = presentation;
    const names = variants.map(({ label }, series) => variantName(label, series));
    refill(this,
      card('accuracy', method.looks === 'any' ? 'Right, by votes' : 'Accuracy',
        element('p', { class: 'note' }, method.looks === 'any'
          ? 'The share of answers that visitors voted right, with its 95% interval. Votes decide nothing.'
          : 'The share of labelled answers that were right, with its 95% interval.'),
        accuracyChart(variants, accuracies),
        variants.map((variant, index) => confusion(variant, confusions[index]))),
      card('outcomes', 'Outcomes',
        element('ul', { class: 'legend', 'aria-hidden': 'true' }, outcomes.rows.map(([name], index) =>
          element('li', { 'data-outcome': variants[0].outcomes[index].outcome }, name))),
        outcomeChart(variants, outcomes),
        textTable(outcomes, ['', ...names])),
      card('variants', 'Variants', textTable(numbers, ['', ...names.map((name) => name.cloneNode(true))])));
  }
}

/**
 * @param {string} name
 * @param {string} title
 * @param {...Parameters<typeof element>[2]} content
 */
function card(name, title, ...content) {
  return element('section', { class: 'card', 'aria-labelledby': `${name}-title` },
    element('h2', { id: `${name}-title` }, title),
    ...content);
}

/**
 * The confusion matrix, its cells tinted by their share of the row.
 * @param {VariantReport} variant
 * @param {TextTable | null} matrix
 */
function confusion({ outcomes, confusion: rows }, matrix) {
  if (!matrix) return null;
  const frame = textTable(matrix);
  rows.forEach(({ expected, counts }, row) => {
    const all = counts.reduce((sum, times) => sum + times, 0);
    counts.forEach((times, column) => {
      const cell = frame.querySelectorAll('tbody tr')[row].children[column + 1];
      cell.classList.add('share', outcomes[column].outcome === expected ? 'right' : 'wrong');
      if (cell instanceof HTMLElement) cell.style.setProperty('--share', `${all ? (times / all) * 100 : 0}%`);
    });
  });
  return element('details', {}, element('summary', {}, matrix.caption), frame);
}

customElements.define('results-variants', ResultsVariants);
