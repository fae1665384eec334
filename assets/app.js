// @ts-check
/** Wires the page: the form makes cards, the cards are answered, the panel shows the experiment. */

import { MAX_SENTENCE_BYTES, classify, correct, experiment } from './api.js';
import { ExperimentPanel } from './experiment-panel.js';
import { SentimentCard } from './sentiment-card.js';

const form = /** @type {HTMLFormElement} */ (document.getElementById('ask'));
const field = /** @type {HTMLTextAreaElement} */ (document.getElementById('sentence'));
const fieldError = /** @type {HTMLElement} */ (document.getElementById('sentence-error'));
const examples = /** @type {HTMLElement} */ (document.getElementById('examples'));
const answers = /** @type {HTMLOListElement} */ (document.getElementById('answers'));
const announcer = /** @type {HTMLElement} */ (document.getElementById('announcer'));
const modelNote = /** @type {HTMLElement} */ (document.getElementById('model-note'));
const panel = /** @type {ExperimentPanel} */ (document.querySelector('experiment-panel'));

/** The labels in the experiment's order, which decides their colour. @type {string[]} */
let labels = [];

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const sentence = field.value.trim();
  const complaint = complaintAbout(sentence);
  showComplaint(complaint);
  field.focus();
  if (complaint) return;
  field.value = '';
  add(sentence);
});

field.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

field.addEventListener('input', () => {
  // While typing, only what is too long is worth a word.
  showComplaint(field.value ? complaintAbout(field.value.trim() || 'blank') : '');
});

examples.addEventListener('click', (event) => {
  if (event.target instanceof HTMLButtonElement) add(event.target.textContent ?? '');
});

panel.addEventListener('retry', showExperiment);
// Links and prompts change while the app runs; whoever comes back to the page sees the new ones.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) showExperiment();
});
showExperiment();

/**
 * What keeps a sentence from being sent, or nothing.
 * @param {string} sentence
 */
function complaintAbout(sentence) {
  if (!sentence) return 'Type a sentence first.';
  const bytes = new TextEncoder().encode(sentence).length;
  if (bytes <= MAX_SENTENCE_BYTES) return '';
  const [is, most] = [bytes, MAX_SENTENCE_BYTES].map((number) => number.toLocaleString('en'));
  return `This is too long: ${is} bytes, and ${most} is the most.`;
}

/** @param {string} complaint */
function showComplaint(complaint) {
  field.setAttribute('aria-invalid', String(complaint !== ''));
  if (fieldError.textContent !== complaint) fieldError.textContent = complaint;
}

/** @param {string} sentence */
function add(sentence) {
  const card = new SentimentCard();
  card.sentence = sentence;
  card.addEventListener('retry', () => {
    card.focus();
    ask(card);
  });
  card.addEventListener('correct', (event) => {
    if (event instanceof CustomEvent) keep(card, event.detail);
  });
  const entry = document.createElement('li');
  entry.append(card);
  answers.prepend(entry);
  ask(card);
}

/** @param {SentimentCard} card */
async function ask(card) {
  card.state = { status: 'pending' };
  const start = performance.now();
  try {
    const answer = await classify(card.sentence);
    const milliseconds = performance.now() - start;
    card.state = { status: 'answered', answer, milliseconds, series: labels.indexOf(answer.variant) };
    if (!labels.includes(answer.variant)) showExperiment();
  } catch (error) {
    card.state = { status: 'failed', detail: messageOf(error) };
  }
  announce(card.summary);
}

/**
 * Keeps what the person says would have been right.
 * @param {SentimentCard} card
 * @param {import('./api.js').Sentiment | null} expected
 */
async function keep(card, expected) {
  const { state, correction: before } = card;
  if (state.status !== 'answered') return;
  card.correction = { status: 'saving', expected };
  try {
    await correct(card.sentence, state.answer.variant, expected);
    card.correction = { status: 'saved', expected };
  } catch (error) {
    card.correction = { status: 'failed', expected: before.expected, detail: messageOf(error) };
  }
}

async function showExperiment() {
  try {
    const running = await experiment();
    labels = running.variants.map(({ label }) => label);
    panel.experiment = running;
    const text = /** @type {HTMLElement} */ (modelNote.querySelector('span'));
    text.textContent = running.model_note;
    modelNote.hidden = !running.model_note;
  } catch (error) {
    panel.failure = messageOf(error);
  }
}

/** @param {string} text */
function announce(text) {
  const line = document.createElement('p');
  line.textContent = text;
  announcer.append(line);
  // What has been read out is of no use to those who browse the page.
  while (announcer.childElementCount > 5) announcer.firstElementChild?.remove();
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
