// @ts-check
/** Sentences on which annotators disagree. Each of them can change their own answer, and nobody else's. */

import * as annotations from './annotations.js';
import { element, refill } from './dom.js';

/** @import { Sentiment } from './api.js' */
/** @import { Dispute } from './annotations.js' */

/** @type {[Sentiment | null, string][]} */
const CHOICES = [['positive', 'Positive'], ['neutral', 'Neutral'], ['negative', 'Negative'], [null, 'Cannot tell']];

const name = (/** @type {Sentiment | null} */ expected) => CHOICES.find(([value]) => value === expected)?.[1] ?? '';

/**
 * Shows them in a list, and gives how many they are.
 * @param {Element} list
 * @param {(sentence: string, expected: Sentiment | null) => void} change what to do with what a person says instead
 */
export async function showDisputes(list, change) {
  const { annotator, disputes } = await annotations.disputed();
  refill(list, disputes.map((dispute) => card(dispute, annotator, change)));
  return disputes.length;
}

/**
 * @param {Dispute} dispute
 * @param {string} annotator who signed in
 * @param {(sentence: string, expected: Sentiment | null) => void} change
 */
function card({ sentence, given }, annotator, change) {
  const own = given.find((opinion) => opinion.annotator === annotator);
  const opinions = given.map((opinion) =>
    element('li', { 'data-said': opinion.expected ?? 'unsure' },
      element('span', {}, opinion === own ? `${annotator} (you)` : opinion.annotator), ' ',
      element('strong', {}, name(opinion.expected))));
  return element('li', { class: 'dispute' },
    element('p', { class: 'sentence', dir: 'auto' }, sentence),
    element('ul', { class: 'opinions', 'aria-label': 'Annotations' }, opinions),
    own && element('div', { class: 'change', role: 'group', 'aria-label': 'Your annotation' },
      CHOICES.map(([expected, text]) => {
        const pressed = own.expected === expected;
        const button = element('button', { type: 'button', class: 'choice', 'aria-pressed': String(pressed) }, text);
        button.addEventListener('click', () => pressed || change(sentence, expected));
        return button;
      })));
}
