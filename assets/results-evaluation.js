// @ts-check
/** @import { Results } from './api.js' */

import { element, refill, table } from './dom.js';

/** What an evaluation has beside its numbers: requirements, disagreements, prompts. Takes `results`. */
export class ResultsEvaluation extends HTMLElement {
  /** @param {Results} results */
  set results({ gates = [], disagreements, prompts = [], variants }) {
    refill(this,
      gates.length > 0 && section('requirements', 'Requirements',
        element('ul', { class: 'requirements' }, gates.map(({ met, text }) =>
          element('li', {}, element('strong', { class: met ? 'met' : 'missed' }, met ? 'Met' : 'Not met'), ` ${text}`)))),
      disagreements && section('disagreements', 'Disagreements', ...disagreed(disagreements, variants)),
      prompts.length > 0 && section('prompts', 'Prompts', ...prompts.map(({ variant, fingerprint, text }) =>
        element('details', { class: 'prompt' }, element('summary', {}, `${variant} (${fingerprint})`), element('pre', {}, text)))));
  }
}

/**
 * @param {string} id
 * @param {string} title
 * @param {...Node} content
 */
function section(id, title, ...content) {
  return element('section', { class: 'card', id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, title), ...content);
}

/**
 * @param {NonNullable<Results['disagreements']>} disagreements
 * @param {Results['variants']} variants
 */
function disagreed(disagreements, variants) {
  if (!disagreements.length) return [element('p', {}, 'The prompts agree on every sentence.')];
  return [
    element('p', { class: 'note' }, 'The sentences to which the prompts gave different answers: only these tell them apart.'),
    table('Sentences with different answers', ['Row', 'Sentence', 'Expected', ...variants.map(({ label }) => label)],
      disagreements.map(({ row, sentence, expected, answers }) =>
        [String(row), element('span', { class: 'sentence', dir: 'auto' }, sentence), expected, ...answers.map(answer)])),
  ];
}

/** @param {NonNullable<Results['disagreements']>[number]['answers'][number]} answer */
function answer({ outcome, correct: right, completion = '', error }) {
  const detail = error ?? (completion.trim() === outcome ? '' : completion.trim());
  return element('span', { class: 'judged' },
    element('span', { class: right ? 'right' : 'wrong' }, error ? '✗ no answer' : `${right ? '✓' : '✗'} ${outcome}`),
    detail && element('span', { class: 'completion' }, detail));
}

customElements.define('results-evaluation', ResultsEvaluation);
