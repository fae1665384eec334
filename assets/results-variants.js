// @ts-check
/** @import { Report, VariantReport } from './api.js' */

import { accuracyChart, outcomeChart } from './charts.js';
import { element, table, variantName } from './dom.js';
import { count, counted, duration, mean, percent, proportion } from './format.js';

const WORDS = { positive: 'Positive', neutral: 'Neutral', negative: 'Negative', unsure: 'Unsure' };

/** What was observed of each variant: accuracy, outcomes, latency, tokens. Takes `report`. */
export class ResultsVariants extends HTMLElement {
  /** @param {Report} report */
  set report({ variants }) {
    this.replaceChildren(
      element('section', { class: 'card', 'aria-labelledby': 'accuracy-title' },
        element('h2', { id: 'accuracy-title' }, 'Accuracy'),
        element('p', { class: 'note' }, 'Of the answers that people labelled, how many were right, with the 95% interval of each.'),
        accuracyChart(variants),
        ...confusions(variants)),
      element('section', { class: 'card', 'aria-labelledby': 'outcomes-title' },
        element('h2', { id: 'outcomes-title' }, 'Outcomes'),
        legend(variants),
        outcomeChart(variants),
        table('Outcomes as shares of a variant’s observations', ['Outcome', ...names(variants)], outcomes(variants))),
      element('section', { class: 'card', 'aria-labelledby': 'variants-title' },
        element('h2', { id: 'variants-title' }, 'Variants'),
        table('Each variant in numbers', ['', ...names(variants)], metrics(variants))),
    );
  }
}

/** @param {VariantReport[]} variants */
const names = (variants) => variants.map(({ label }, series) => variantName(label, series));

/** @param {VariantReport[]} variants */
function legend([variant]) {
  return element('ul', { class: 'legend', 'aria-hidden': 'true' },
    (variant?.outcomes ?? []).map(({ outcome }) => element('li', { 'data-outcome': outcome }, WORDS[outcome] ?? outcome)));
}

/**
 * @param {VariantReport[]} variants
 * @returns {[string, ...string[]][]}
 */
function outcomes(variants) {
  const outcomes = variants[0]?.outcomes.map(({ outcome }) => outcome) ?? [];
  return outcomes.map((name, place) => [WORDS[name] ?? name, ...variants.map(({ outcomes, n }) => {
    const { count: times, share } = outcomes[place];
    return share === null ? '–' : `${percent(share)} (${count(times)} of ${count(n)})`;
  })]);
}

/**
 * @param {VariantReport[]} variants
 * @returns {[string, ...string[]][]}
 */
function metrics(variants) {
  /** @param {string} name @param {(variant: VariantReport) => string} cell @returns {[string, ...string[]]} */
  const row = (name, cell) => [name, ...variants.map(cell)];
  return [
    row('Observations', ({ n }) => count(n)),
    row('… of other prompts or models, not counted', ({ stale }) => count(stale)),
    row('Accuracy', ({ accuracy }) => (accuracy ? proportion(accuracy) : 'no labels yet')),
    row('Macro-F1', ({ macro_f1: f1, accuracy }) => (f1 === null ? '–' : `${f1.toFixed(3)} (n ${count(accuracy?.n ?? 0)})`)),
    row('Unsure', ({ unsure_rate: rate }) => (rate ? proportion(rate) : '–')),
    row('Latency, median', ({ latency }) => (latency ? `${duration(latency.p50_ms)} (n ${count(latency.n)})` : '–')),
    row('Latency, 95th percentile', ({ latency }) => (latency ? duration(latency.p95_ms) : '–')),
    row('Tokens read, mean', ({ tokens }) => (tokens ? `${mean(tokens.prompt_mean)} (n ${count(tokens.n)})` : '–')),
    row('Tokens written, mean', ({ tokens }) => (tokens ? mean(tokens.generated_mean) : '–')),
    row('Weight', ({ weight }) => count(weight)),
    row('Prompt', ({ fingerprint }) => fingerprint),
    row('Model', ({ model }) => model),
  ];
}

/** @param {VariantReport[]} variants */
function confusions(variants) {
  return variants.filter(({ accuracy }) => accuracy).map(({ label, accuracy, outcomes, confusion }) =>
    element('details', {},
      element('summary', {}, `What ${label} answered, by what was right (${counted(accuracy?.n ?? 0, 'label')})`),
      table(`Labelled answers of ${label}`,
        ['Right would have been', ...outcomes.map(({ outcome }) => WORDS[outcome] ?? outcome)],
        confusion.map(({ expected, counts }) => [WORDS[expected] ?? expected, ...counts.map(count)]))));
}

customElements.define('results-variants', ResultsVariants);
