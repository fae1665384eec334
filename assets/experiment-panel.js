// @ts-check
/** @import { Experiment, Variant } from './api.js' */

const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });

/**
 * The prompts under test and how they are chosen. Takes `experiment`, or `failure` with what went wrong; fires `retry`.
 */
export class ExperimentPanel extends HTMLElement {
  /** @param {string} detail */
  set failure(detail) {
    const content = clone('experiment-failed');
    part(content, '.warning span').textContent = detail;
    part(content, '.retry').addEventListener('click', () => this.dispatchEvent(new Event('retry')));
    this.replaceChildren(content);
  }

  /** @param {Experiment} experiment */
  set experiment({ assignment, model, variants }) {
    const content = clone('experiment');
    const total = variants.reduce((sum, { weight }) => sum + weight, 0);
    part(content, '.assignment').textContent = explain(assignment, variants.length);
    part(content, '.model dd').textContent = model;
    part(content, '.shares').append(...variants.map(shareBar));
    part(content, '.variants').append(...variants.map((variant, series) => item(variant, series, total)));
    this.replaceChildren(content);
  }
}

/**
 * @param {string} assignment
 * @param {number} count of variants
 */
function explain(assignment, count) {
  if (count === 1) return 'One prompt answers every sentence.';
  return assignment === 'visitor'
    ? 'Each visitor stays with one of these prompts, drawn by weight.'
    : 'For each sentence one of these prompts is drawn at random, by weight.';
}

/**
 * @param {Variant} variant
 * @param {number} series
 */
function shareBar({ weight }, series) {
  const bar = document.createElement('span');
  bar.dataset.series = String(series);
  bar.style.flexGrow = String(weight);
  return bar;
}

/**
 * @param {Variant} variant
 * @param {number} series
 * @param {number} total of the weights
 */
function item({ label, weight, fingerprint, origin, error }, series, total) {
  const entry = document.createElement('li');
  entry.append(clone('experiment-variant'));
  part(entry, '.variant').textContent = label;
  part(entry, '.variant').dataset.series = String(series);
  part(entry, '.share').textContent = total > 0 ? SHARE.format(weight / total) : '';
  part(entry, '.prompt').textContent = fingerprint ? `prompt ${fingerprint}` : '';
  part(entry, '.prompt').hidden = !fingerprint;
  const warning = error ?? (origin === 'default' ? 'This store has no prompt of its own: the default prompt answers.' : '');
  part(entry, '.warning span').textContent = warning;
  part(entry, '.warning').hidden = !warning;
  return entry;
}

/** @param {string} id of a template */
function clone(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {DocumentFragment} */ (template.content.cloneNode(true));
}

/**
 * @param {ParentNode} parent
 * @param {string} selector
 */
function part(parent, selector) {
  return /** @type {HTMLElement} */ (parent.querySelector(selector));
}

customElements.define('experiment-panel', ExperimentPanel);
