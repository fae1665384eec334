// @ts-check
/** @import { Experiment, Variant } from './api.js' */

const SHARE = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });

/**
 * The prompts under test and how they are chosen. Takes `experiment`, or `failure` with what went wrong; fires `retry`.
 */
export class ExperimentPanel extends HTMLElement {
  /** What is shown, to tell whether anything has changed. */
  #shown = '';

  /** @param {string} detail */
  set failure(detail) {
    this.#shown = '';
    const content = clone('experiment-failed');
    part(content, '.warning span').textContent = detail;
    part(content, '.retry').addEventListener('click', () => this.dispatchEvent(new Event('retry')));
    this.replaceChildren(content);
  }

  /** @param {Experiment} experiment */
  set experiment(experiment) {
    // What has not changed stays as it is, an opened prompt and the focus included.
    const text = JSON.stringify(experiment);
    if (text === this.#shown) return;
    this.#shown = text;
    const { assignment, model, variants } = experiment;
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
  if (count === 1) return 'This prompt answers every sentence.';
  return assignment === 'visitor'
    ? 'Each visitor always gets the same prompt, chosen at random by weight.'
    : 'Each sentence goes to one of these prompts, chosen at random by weight.';
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
function item({ label, weight, prompt, fingerprint, origin, error }, series, total) {
  const entry = document.createElement('li');
  entry.append(clone('experiment-variant'));
  part(entry, '.variant').textContent = label;
  part(entry, '.variant').dataset.series = String(series);
  part(entry, '.share').textContent = total > 0 ? SHARE.format(weight / total) : '';
  part(entry, '.prompt').hidden = !prompt;
  part(entry, '.prompt pre').textContent = prompt ?? '';
  part(entry, '.prompt pre').setAttribute('aria-label', `Prompt of ${label}`);
  part(entry, '.fingerprint').textContent = fingerprint ?? '';
  const warning = error ?? (origin === 'default' ? 'This store has no usable prompt, so the default prompt is used.' : '');
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
