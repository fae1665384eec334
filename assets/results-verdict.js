// @ts-check
/** @import { Report, Verdict } from './api.js' */

import { element } from './dom.js';
import { count, counted, size } from './format.js';

/**
 * Which variant is better, or what is still needed to say so, and what endangers a conclusion. Takes `report`.
 */
export class ResultsVerdict extends HTMLElement {
  /** What it says first. */
  summary = '';

  /** @param {Report} report */
  set report(report) {
    const { heading, text, tone } = verdictOf(report);
    this.summary = heading;
    this.replaceChildren(
      element('section', { class: `card verdict ${tone}`, 'aria-labelledby': 'verdict-title' },
        element('h2', { id: 'verdict-title' }, heading),
        element('p', {}, text),
        tone === 'decided' ? null : element('p', {}, element('a', { href: '/' }, 'Analyse sentences and say whether the answers were right'))),
      ...warningsOf(report),
    );
  }
}

/**
 * @param {Report} report
 * @returns {{ heading: string, text: string, tone: 'decided' | 'open' }}
 */
function verdictOf({ variants, comparisons, decision }) {
  const observed = variants.reduce((sum, { n }) => sum + n, 0);
  const labelled = variants.reduce((sum, { accuracy }) => sum + (accuracy?.n ?? 0), 0);
  const soFar = `So far there are ${counted(observed, 'observation')}, ${count(labelled)} of them labelled.`;
  if (!observed) {
    return { tone: 'open', heading: 'Nothing observed yet', text: 'Every answer of a model becomes an observation. There is none of the prompts that are in the stores now.' };
  }
  if (!decision) {
    return { tone: 'open', heading: 'One prompt, nothing to compare', text: `${soFar} With a second variant this page compares the two.` };
  }
  if (decision.status === 'decided') {
    return {
      tone: 'decided',
      heading: `${decision.winner} is better`,
      text: `${evidenceFor(decision, comparisons)} ${soFar}`,
    };
  }
  return { tone: 'open', heading: headingOf(decision), text: `${needOf(decision)} ${soFar}` };
}

/** @param {Verdict} decision */
function headingOf({ needed_more: needed, assumed_difference: assumed }) {
  return needed === null && assumed !== null ? 'Practically the same' : 'Not decided yet';
}

/** @param {Verdict} decision */
function needOf({ needed_more: needed, assumed_difference: assumed }) {
  if (assumed === null) return 'There are too few labelled sentences to say how many are still needed.';
  const difference = `${size(assumed)} ${assumed === 0.01 ? 'point' : 'points'}`;
  if (needed === null) return `A difference as small as ${difference} would take more than a million more labelled sentences to find.`;
  const [number, verb] = [counted(needed, 'more labelled sentence'), needed === 1 ? 'decides' : 'decide'];
  return `If one is better by ${difference}, about ${number} ${verb} it in 8 of 10 cases.`;
}

/**
 * @param {Verdict} decision
 * @param {Report['comparisons']} comparisons
 */
function evidenceFor({ winner }, comparisons) {
  const over = comparisons.filter(({ first, second }) => first === winner || second === winner);
  const by = over.map(({ first, second, design, n, difference }) => {
    const other = first === winner ? second : first;
    const what = design === 'paired' ? counted(n, 'sentence that both saw', 'sentences that both saw') : counted(n, 'labelled observation');
    return `${size(Math.abs(difference?.value ?? 0))} points more often right than ${other}, by ${what}`;
  });
  return `It is ${by.join('; and ')}. The interval of the difference that decides excludes zero.`;
}

/** @param {Report} report */
function warningsOf({ warnings }) {
  if (!warnings.length) return [];
  return [element('section', { class: 'card', 'aria-labelledby': 'warnings-title' },
    element('h2', { id: 'warnings-title' }, 'Before you conclude'),
    element('ul', { class: 'warnings' }, warnings.map(({ message, advice }) =>
      element('li', {}, element('strong', {}, message), ' ', advice))))];
}

customElements.define('results-verdict', ResultsVerdict);
