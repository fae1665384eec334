// @ts-check
/** @import { Answer, Sentiment } from './api.js' */
/** @import { Kept } from './kept-cards.js' */

/**
 * @typedef {{ status: 'pending' }
 *   | { status: 'answered', answer: Answer, milliseconds: number }
 *   | { status: 'failed', detail: string }} CardState
 */

/**
 * What the person said about an answer. While the question is `open`, the variant stays unnamed, because knowing it would
 * sway the judgement. `expected` is nothing before a judgement, after a skip, and after a judgement was taken back.
 * @typedef {{ stage: 'open' | 'given' | 'skipped', expected: Sentiment | null, saving?: boolean, failure?: string }} Judgement
 */

/** @type {Sentiment[]} What a sentence can be. */
const LABELS = ['positive', 'neutral', 'negative'];
const WORDS = { positive: 'Positive', neutral: 'Neutral', negative: 'Negative', unsure: 'Unsure' };

/** What a card says whose request ended with the page. */
export const INTERRUPTED = 'The page was left or reloaded before the answer arrived.';

/** @type {Judgement} */
const OPEN = { stage: 'open', expected: null };

/**
 * One sentence and what became of it. Takes `sentence`, `state`, `judgement` and `series`, the variant's place in the
 * experiment; fires `retry` when the person asks for another try, `judge` with the label that they say is right, and `skip`.
 */
export class SentimentCard extends HTMLElement {
  sentence = '';

  /** @type {CardState} */
  #state = { status: 'pending' };
  #judgement = OPEN;
  #series = -1;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;

  connectedCallback() {
    if (!this.firstChild) {
      const template = /** @type {HTMLTemplateElement} */ (document.getElementById('sentiment-card'));
      this.append(template.content.cloneNode(true));
      this.#part('.more').addEventListener('click', () => this.#unfold(!this.classList.contains('unfolded')));
      this.#part('.retry').addEventListener('click', () => this.dispatchEvent(new Event('retry')));
      this.#part('.skip').addEventListener('click', () => this.dispatchEvent(new Event('skip')));
      for (const choice of this.#choices) {
        choice.addEventListener('click', () => this.#choose(/** @type {Sentiment} */ (choice.value)));
      }
      // A button that vanishes when it is pressed leaves the focus to the card.
      this.tabIndex = -1;
      this.role = 'article';
    }
    this.#render();
    heights.observe(this.#part('.sentence'));
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
    heights.unobserve(this.#part('.sentence'));
  }

  get state() {
    return this.#state;
  }

  set state(state) {
    this.#state = state;
    this.#judgement = OPEN;
    if (this.isConnected) this.#render();
  }

  get judgement() {
    return this.#judgement;
  }

  set judgement(judgement) {
    this.#judgement = judgement;
    if (this.isConnected) this.#renderJudgement();
  }

  /** @param {number} series -1 for a variant that is not in the experiment */
  set series(series) {
    this.#series = series;
    if (this.isConnected) this.#renderJudgement();
  }

  /** What of this card outlives a reload, which ends a request that is under way. @returns {Kept} */
  get kept() {
    const { stage, expected } = this.#judgement;
    const state = this.#state.status === 'pending'
      ? { status: /** @type {const} */ ('failed'), detail: INTERRUPTED }
      : this.#state;
    return { sentence: this.sentence, state, judgement: { stage, expected } };
  }

  /** The state in one sentence, for those who hear it. */
  get summary() {
    const state = this.#state;
    const sentence = `“${this.sentence.length > 80 ? `${this.sentence.slice(0, 80)}…` : this.sentence}”`;
    if (state.status === 'pending') return `Asking about ${sentence}.`;
    if (state.status === 'failed') return `No answer for ${sentence}. ${state.detail}`;
    return `${WORDS[state.answer.sentiment]}: ${sentence}, ${source(state.answer)}.`;
  }

  /** Offers to show all of the sentence where a part of it is cut off. */
  measure() {
    if (this.classList.contains('unfolded')) return;
    const { scrollHeight, clientHeight } = this.#part('.sentence');
    this.#part('.more').hidden = scrollHeight <= clientHeight;
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
    this.#show('.source > span', answer && source(answer));
    this.#part('.source').hidden = !answer;
    this.#part('.source use').setAttribute('href', answer?.cached ? '#icon-store' : '#icon-model');
    this.#show('.elapsed', state.status === 'answered' ? duration(state.milliseconds) : undefined);
    this.#show('.detail', state.status === 'failed' ? state.detail : undefined);
    this.#part('.retry').hidden = state.status !== 'failed';
    if (answer) this.#renderQuestion(answer);
    this.#renderJudgement();
    if (state.status === 'pending') this.#countSeconds();
  }

  /** @param {Answer} answer */
  #renderQuestion({ sentiment }) {
    const unsure = sentiment === 'unsure';
    this.#part('.correction legend').textContent = unsure ? 'What would have been right?' : 'Was this right?';
    // The answer itself comes first: to agree is the most frequent choice.
    const labels = [...LABELS].sort((one, other) => Number(other === sentiment) - Number(one === sentiment));
    this.#choices.forEach((choice, place) => {
      const label = labels[place];
      choice.value = label;
      choice.textContent = unsure ? WORDS[label] : label === sentiment ? 'Yes' : `No, ${label}`;
    });
  }

  #renderJudgement() {
    const { stage, expected, saving, failure } = this.#judgement;
    const answer = this.#state.status === 'answered' ? this.#state.answer : undefined;
    this.#part('.correction').hidden = !answer || stage === 'skipped';
    this.#part('.skip').hidden = stage !== 'open';
    for (const choice of this.#choices) choice.setAttribute('aria-pressed', String(choice.value === expected));
    this.#part('.revealed').hidden = stage === 'open';
    this.#show('.variant', stage === 'open' ? undefined : answer?.variant);
    this.#part('.variant').dataset.series = String(this.#series);
    const said = stage === 'given' ? (expected ? 'Thanks! Press your choice again to undo.' : 'Your vote was removed.') : undefined;
    this.#show('.said', failure ?? (saving ? 'Saving…' : said));
    this.#part('.said').classList.toggle('failed', failure !== undefined);
  }

  /** @param {Sentiment} label */
  #choose(label) {
    const { saving, expected } = this.#judgement;
    if (saving) return;
    this.dispatchEvent(new CustomEvent('judge', { detail: label === expected ? null : label }));
  }

  /** @param {boolean} unfolded */
  #unfold(unfolded) {
    this.classList.toggle('unfolded', unfolded);
    const more = this.#part('.more');
    more.textContent = unfolded ? 'Show less' : 'Show all';
    more.setAttribute('aria-expanded', String(unfolded));
    if (!unfolded) this.scrollIntoView({ block: 'nearest' });
  }

  /** A model can take its time; a number that moves says that the page has not stopped. */
  #countSeconds() {
    let seconds = 0;
    this.#clock = setInterval(() => this.#show('.elapsed', `${++seconds} s`), 1000);
  }

  /** @returns {NodeListOf<HTMLButtonElement>} */
  get #choices() {
    return this.querySelectorAll('.choice');
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

/** How much of a sentence fits changes with its text and with the width of the window. */
const heights = new ResizeObserver((entries) => {
  for (const { target } of entries) /** @type {SentimentCard | null} */ (target.closest('sentiment-card'))?.measure();
});

/** @param {Answer} answer */
function source(answer) {
  return answer.cached ? 'cached' : 'asked the model';
}

/** @param {number} milliseconds */
function duration(milliseconds) {
  return milliseconds < 1000 ? `${Math.max(1, Math.round(milliseconds))} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

customElements.define('sentiment-card', SentimentCard);
