// @ts-check
/** @import { Answer, Sentiment } from './api.js' */

/**
 * What a card shows; `series` is the variant's place in the experiment, -1 where it has none.
 * @typedef {{ status: 'pending' }
 *   | { status: 'answered', answer: Answer, milliseconds: number, series: number }
 *   | { status: 'failed', detail: string }} CardState
 */

/**
 * What the person said of an answer; `expected` is nothing before they did, or after they took it back.
 * @typedef {{ status: 'open' | 'saving' | 'saved', expected: Sentiment | null }
 *   | { status: 'failed', expected: Sentiment | null, detail: string }} Correction
 */

/** @type {Sentiment[]} What a sentence can be. */
const LABELS = ['positive', 'neutral', 'negative'];
const WORDS = { positive: 'Positive', neutral: 'Neutral', negative: 'Negative', unsure: 'Unsure' };

/**
 * One sentence and what became of it. Takes `sentence`, `state` and `correction`; fires `retry` when the person asks for
 * another try, and `correct` with the label when they say what would have been right.
 */
export class SentimentCard extends HTMLElement {
  sentence = '';

  /** @type {CardState} */
  #state = { status: 'pending' };
  /** @type {Correction} */
  #correction = { status: 'open', expected: null };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;

  connectedCallback() {
    if (!this.firstChild) {
      const template = /** @type {HTMLTemplateElement} */ (document.getElementById('sentiment-card'));
      this.append(template.content.cloneNode(true));
      this.#part('.retry').addEventListener('click', () => this.dispatchEvent(new Event('retry', { bubbles: true })));
      this.#part('.correction').addEventListener('click', ({ target }) => {
        if (target instanceof HTMLButtonElement) this.#choose(/** @type {Sentiment} */ (target.value));
      });
      // The retry button vanishes when it is pressed; the card then keeps the focus.
      this.tabIndex = -1;
      this.role = 'article';
    }
    this.#render();
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
  }

  get state() {
    return this.#state;
  }

  set state(state) {
    this.#state = state;
    this.#correction = { status: 'open', expected: null };
    if (this.isConnected) this.#render();
  }

  get correction() {
    return this.#correction;
  }

  set correction(correction) {
    this.#correction = correction;
    if (this.isConnected) this.#renderCorrection();
  }

  /** The state in one sentence, for those who hear it. */
  get summary() {
    const state = this.#state;
    const sentence = `“${this.sentence.length > 80 ? `${this.sentence.slice(0, 80)}…` : this.sentence}”`;
    if (state.status === 'pending') return `Asking about ${sentence}.`;
    if (state.status === 'failed') return `No answer for ${sentence}. ${state.detail}`;
    return `${WORDS[state.answer.sentiment]}: ${sentence}, by ${state.answer.variant}, ${source(state.answer)}.`;
  }

  #render() {
    const state = this.#state;
    const answer = state.status === 'answered' ? state.answer : undefined;
    const outcome = answer?.sentiment ?? state.status;

    clearInterval(this.#clock);
    this.dataset.outcome = outcome;
    this.setAttribute('aria-busy', String(state.status === 'pending'));
    this.#part('.outcome-icon use').setAttribute('href', `#icon-${outcome}`);
    this.#part('.sentence').textContent = this.sentence;
    this.#show('.outcome', answer ? WORDS[answer.sentiment] : state.status === 'failed' ? 'No answer' : 'Asking…');
    this.#show('.variant', answer?.variant);
    this.#part('.variant').dataset.series = state.status === 'answered' ? String(state.series) : '';
    this.#show('.source > span', answer && source(answer));
    this.#part('.source').hidden = !answer;
    this.#part('.source use').setAttribute('href', answer?.cached ? '#icon-store' : '#icon-model');
    this.#show('.elapsed', state.status === 'answered' ? duration(state.milliseconds) : undefined);
    this.#show('.detail', state.status === 'failed' ? state.detail : undefined);
    this.#part('.retry').hidden = state.status !== 'failed';
    this.#part('.correction').hidden = !answer;
    if (answer) this.#renderQuestion(answer);
    if (state.status === 'pending') this.#countSeconds();
  }

  /** @param {Answer} answer */
  #renderQuestion({ sentiment }) {
    const unsure = sentiment === 'unsure';
    this.#part('.correction legend').textContent = unsure ? 'What would have been right?' : 'Was this right?';
    // The answer itself comes first: to agree is the most frequent choice.
    const labels = [...LABELS].sort((one, other) => Number(other === sentiment) - Number(one === sentiment));
    const choices = this.querySelectorAll('.correction button');
    choices.forEach((choice, place) => {
      if (!(choice instanceof HTMLButtonElement)) return;
      const label = labels[place];
      choice.value = label;
      choice.textContent = unsure ? WORDS[label] : label === sentiment ? 'Yes' : `No, ${label}`;
    });
    this.#renderCorrection();
  }

  #renderCorrection() {
    const { status, expected } = this.#correction;
    for (const choice of this.querySelectorAll('.correction button')) {
      choice.setAttribute('aria-pressed', String(/** @type {HTMLButtonElement} */ (choice).value === expected));
    }
    const thanks = this.#part('.thanks');
    thanks.classList.toggle('failed', status === 'failed');
    thanks.textContent = this.#correction.status === 'failed'
      ? this.#correction.detail
      : status === 'saving' ? 'Saving…'
      : status === 'saved' ? (expected ? 'Thanks! Press it again to take it back.' : 'Taken back.')
      : '';
  }

  /** @param {Sentiment} label */
  #choose(label) {
    const { status, expected } = this.#correction;
    if (status === 'saving') return;
    this.dispatchEvent(new CustomEvent('correct', { detail: label === expected ? null : label }));
  }

  /** A model can take its time; a number that moves says that the page has not stopped. */
  #countSeconds() {
    let seconds = 0;
    this.#clock = setInterval(() => this.#show('.elapsed', `${++seconds} s`), 1000);
  }

  /**
   * @param {string} selector
   * @param {string | undefined} text nothing hides the part
   */
  #show(selector, text) {
    const part = this.#part(selector);
    part.textContent = text ?? '';
    part.hidden = text === undefined;
  }

  /**
   * @param {string} selector
   * @returns {HTMLElement}
   */
  #part(selector) {
    return /** @type {HTMLElement} */ (this.querySelector(selector));
  }
}

/** @param {Answer} answer */
function source(answer) {
  return answer.cached ? 'from the store' : 'asked the model';
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

customElements.define('sentiment-card', SentimentCard);
