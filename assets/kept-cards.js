// @ts-check
/** The cards that outlive a reload: data alone, in the storage of this tab, which the browser empties when it is closed. */
/** @import { CardState, Judgement } from './sentiment-card.js' */

import { SENTIMENTS } from './api.js';

/** How many cards are kept, the newest first. */
export const MOST = 50;

const KEY = 'cards';

/** @typedef {{ sentence: string, state: CardState, judgement: Judgement }} Kept */

/**
 * @param {Kept[]} cards the newest first
 * @returns {boolean} whether the browser keeps them; it may be told not to
 */
export function keep(cards) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(cards.slice(0, MOST)));
    return true;
  } catch {
    return false;
  }
}

/**
 * What was kept, the newest first. Anything that is no card, as another version of this page may have left, is dropped.
 * @returns {Kept[]}
 */
export function kept() {
  try {
    const cards = JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
    return cards.filter(isCard).slice(0, MOST);
  } catch {
    return [];
  }
}

/** @param {any} card */
function isCard(card) {
  const { sentence, state, judgement } = card ?? {};
  const whole = state?.status === 'answered'
    ? SENTIMENTS.includes(state.answer?.sentiment) && typeof state.answer.variant === 'string' && Number.isFinite(state.milliseconds)
    : state?.status === 'failed' && typeof state.detail === 'string';
  return whole && typeof sentence === 'string' && ['open', 'given', 'skipped'].includes(judgement?.stage)
    && (judgement.expected === null || SENTIMENTS.includes(judgement.expected));
}
