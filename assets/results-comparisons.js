// @ts-check
/** @import { Comparison, Report } from './api.js' */

import { differenceChart } from './charts.js';
import { element, table, variantName } from './dom.js';
import { chance, count, counted, loss, points, probability, range } from './format.js';

/** Each two variants compared. Takes `report`. */
export class ResultsComparisons extends HTMLElement {
  /** @param {Report} report */
  set report({ comparisons, variants }) {
    const place = (/** @type {string} */ label) => variants.findIndex((variant) => variant.label === label);
    this.replaceChildren(...comparisons.map((comparison, index) => {
      const { first, second, difference } = comparison;
      const title = `comparison-${index}`;
      return element('section', { class: 'card', 'aria-labelledby': title },
        element('h2', { id: title }, `${second} against ${first}`),
        element('p', {}, basis(comparison)),
        difference && differenceChart({ ...comparison, difference }, place(difference.value < 0 ? first : second)),
        difference && element('p', { class: 'note' }, 'The long line is the interval that decides, however often one looks; the thick one is the 95% interval of a single look.'),
        difference && table(`${second} and ${first} compared`, ['', variantName(first, place(first)), variantName(second, place(second))], both(comparison)),
        difference && table('The difference in numbers', ['', `${second} − ${first}`], differences(comparison, difference)),
        pairs(comparison));
    }));
  }
}

/** @param {Comparison} comparison */
function basis({ design, n, difference, seen_by_both: seen }) {
  const counts = !difference ? 'There is nothing to compare before both variants have labelled observations.'
    : design === 'paired' ? `Compared on ${counted(n, 'labelled sentence that both saw', 'labelled sentences that both saw')}.`
    : `Compared on ${counted(n, 'labelled observation')}, each variant on its own.`;
  if (!seen.n) return `${counts} No sentence was seen by both.`;
  const differ = `${counted(seen.n, 'sentence was', 'sentences were')} seen by both, with different answers to ${count(seen.differ)}`;
  return `${counts} ${differ}${seen.differ ? ': label those first, as only they tell the two apart' : ''}.`;
}

/**
 * @param {Comparison} comparison
 * @returns {[string, ...string[]][]}
 */
function both({ n, chance_to_win: win, expected_loss: lost }) {
  const of = `n ${count(n)}`;
  return [
    [`Chance to win (${of})`, chance(win.first), chance(win.second)],
    [`Expected loss if chosen, points (${of})`, loss(lost.first), loss(lost.second)],
  ];
}

/**
 * @param {Comparison} comparison
 * @param {NonNullable<Comparison['difference']>} difference
 * @returns {[string, ...string[]][]}
 */
function differences({ n, mcnemar_p: p, pairs }, difference) {
  const paired = pairs.both + pairs.only_first + pairs.only_second + pairs.neither;
  return [
    ['Difference of accuracy, points', `${points(difference.value)} (n ${count(n)})`],
    ['Always-valid interval, decides', range(difference.always_valid)],
    ['Fixed 95% interval, describes', range(difference.fixed)],
    ['McNemar’s p, describes', p === null ? '–' : `${probability(p)} (${counted(paired, 'pair')})`],
  ];
}

/** @param {Comparison} comparison */
function pairs({ first, second, pairs: { both, only_first: onlyFirst, only_second: onlySecond, neither } }) {
  const n = both + onlyFirst + onlySecond + neither;
  return n > 0 && element('details', {},
    element('summary', {}, `Who was right on the ${counted(n, 'labelled sentence')} that both saw`),
    table('Pairs', ['', `${second} right`, `${second} wrong`], [
      [`${first} right`, count(both), count(onlyFirst)],
      [`${first} wrong`, count(onlySecond), count(neither)],
    ]));
}

customElements.define('results-comparisons', ResultsComparisons);
