// @ts-check
/** Wires the page: the form makes cards, the cards are answered, the panel shows the experiment. */

import { MAX_SENTENCE_BYTES, classify, correct, experiment } from './api.js';
import { ExperimentPanel } from './experiment-panel.js';
import { MOST, keep, kept } from './kept-cards.js';
import { INTERRUPTED, SentimentCard } from './sentiment-card.js';

const form = /** @type {HTMLFormElement} */ (document.getElementById('ask'));
const field = /** @type {HTMLTextAreaElement} */ (document.getElementById('sentence'));
const fieldError = /** @type {HTMLElement} */ (document.getElementById('sentence-error'));
const examples = /** @type {HTMLElement} */ (document.getElementById('examples'));
const answers = /** @type {HTMLOListElement} */ (document.getElementById('answers'));
const clear = /** @type {HTMLButtonElement} */ (document.getElementById('clear'));
const keptNote = /** @type {HTMLElement} */ (document.getElementById('kept-note'));
const announcer = /** @type {HTMLElement} */ (document.getElementById('announcer'));
const modelNote = /** @type {HTMLElement} */ (document.getElementById('model-note'));
const panel = /** @type {ExperimentPanel} */ (document.querySelector('experiment-panel'));
const details = /** @type {HTMLDetailsElement} */ (panel.closest('details'));
/** Where the experiment stands beside the answers. It is between the form and the answers otherwise, and then folded up. */
const wide = matchMedia('(min-width: 56rem)');

/** The labels in the experiment's order, which decides their colour. @type {string[]} */
let labels = [];

/** Whether the page is on its way out, which ends its requests: the server is not to blame for those. */
let leaving = false;
addEventListener('pagehide', () => { leaving = true; });
addEventListener('pageshow', () => { leaving = false; });

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const sentence = field.value.trim();
  const complaint = complaintAbout(sentence);
  showComplaint(complaint);
  field.focus();
  if (complaint) return;
  field.value = '';
  ask(add(sentence));
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
  if (event.target instanceof HTMLButtonElement) ask(add(event.target.textContent ?? ''));
});

clear.addEventListener('click', () => {
  answers.replaceChildren();
  keepCards();
  field.focus();
});

const fold = () => { details.open = wide.matches; };
wide.addEventListener('change', fold);
fold();

for (const { sentence, state, judgement } of kept().reverse()) {
  const card = add(sentence);
  card.state = state;
  card.judgement = judgement;
}
keepCards();

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
  if (!sentence) return 'The sentence is empty. Write something to classify.';
  const bytes = new TextEncoder().encode(sentence).length;
  if (bytes <= MAX_SENTENCE_BYTES) return '';
  const [size, limit] = [bytes, MAX_SENTENCE_BYTES].map((number) => number.toLocaleString('en'));
  return `The sentence is too long: ${size} bytes; the limit is ${limit}.`;
}

/** @param {string} complaint */
function showComplaint(complaint) {
  field.setAttribute('aria-invalid', String(complaint !== ''));
  if (fieldError.textContent !== complaint) fieldError.textContent = complaint;
}

/**
 * A card for a sentence, above the others.
 * @param {string} sentence
 */
function add(sentence) {
  const card = new SentimentCard();
  card.sentence = sentence;
  card.addEventListener('retry', () => {
    card.focus();
    ask(card);
  });
  card.addEventListener('judge', (event) => {
    if (event instanceof CustomEvent) judge(card, event.detail);
  });
  card.addEventListener('skip', () => {
    card.judgement = { stage: 'skipped', expected: null };
    card.focus();
    keepCards();
  });
  const entry = document.createElement('li');
  entry.append(card);
  answers.prepend(entry);
  return card;
}

/** @param {SentimentCard} card */
async function ask(card) {
  card.state = { status: 'pending' };
  keepCards();
  const start = performance.now();
  try {
    const answer = await classify(card.sentence);
    card.state = { status: 'answered', answer, milliseconds: performance.now() - start };
    if (labels.includes(answer.variant)) colour(card);
    else showExperiment();
  } catch (error) {
    card.state = { status: 'failed', detail: leaving ? INTERRUPTED : messageOf(error) };
  }
  if (!card.isConnected) return;
  keepCards();
  announce(card.summary);
}

/**
 * Records what the person says is right.
 * @param {SentimentCard} card
 * @param {import('./api.js').Sentiment | null} expected
 */
async function judge(card, expected) {
  const { state, judgement: { stage, expected: before } } = card;
  if (state.status !== 'answered') return;
  card.judgement = { stage, expected, saving: true };
  try {
    await correct(card.sentence, state.answer.variant, expected);
    card.judgement = { stage: 'given', expected };
  } catch (error) {
    card.judgement = { stage, expected: before, failure: messageOf(error) };
  }
  keepCards();
}

/** @returns {NodeListOf<SentimentCard>} the newest first */
function cards() {
  return answers.querySelectorAll('sentiment-card');
}

/** Keeps the newest cards for a reload, and says so. */
function keepCards() {
  const all = [...cards()];
  const done = keep(all.slice(0, MOST).map((card) => card.kept));
  clear.hidden = keptNote.hidden = all.length === 0;
  keptNote.textContent = done
    ? `This tab remembers your last ${MOST} answers until you close it. Clear removes them here, not from the stores.`
    : 'Your browser does not let this page remember answers: they will be gone when you reload it.';
}

/** @param {SentimentCard} card */
function colour(card) {
  if (card.state.status === 'answered') card.series = labels.indexOf(card.state.answer.variant);
}

async function showExperiment() {
  try {
    const running = await experiment();
    labels = running.variants.map(({ label }) => label);
    panel.experiment = running;
    cards().forEach(colour);
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
