// @ts-check
/** The page on which people annotate. */

import { AnnotatingQueue } from './annotating-queue.js';
import { SignInNeeded, signIn, signOut, signedIn } from './annotations.js';

/** @import { Sentiment } from './api.js' */

const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const form = /** @type {HTMLFormElement} */ (part('sign-in'));
const user = /** @type {HTMLInputElement} */ (part('user'));
const password = /** @type {HTMLInputElement} */ (part('password'));
const undo = /** @type {HTMLButtonElement} */ (part('undo'));
const choices = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#choices button[value]'));
const queue = new AnnotatingQueue();

/** The keys, in the order of the buttons. */
const KEYS = ['1', '2', '3', 's'];

function show() {
  const { sentence, standing } = queue;
  part('work').hidden = sentence === undefined && !queue.canUndo;
  part('sentence').hidden = sentence === undefined;
  part('empty').hidden = sentence !== undefined || standing === undefined;
  if (sentence !== undefined && part('sentence').textContent !== sentence) {
    part('sentence').textContent = sentence;
    part('sentence').scrollTop = 0;
  }
  for (const choice of choices) choice.disabled = sentence === undefined;
  undo.disabled = !queue.canUndo;
  if (standing) showStanding(standing);
}

/** @param {import('./annotations.js').Standing} standing */
function showStanding({ annotated, about_needed: needed, decided }) {
  const done = `${annotated.toLocaleString('en')} annotated`;
  if (!decided) {
    part('standing').textContent = needed === null ? done : `${done}, about ${needed.toLocaleString('en')} more to decide`;
    return;
  }
  const link = document.createElement('a');
  link.href = '/results';
  link.textContent = 'See the results';
  part('standing').replaceChildren(`Decided. ${done}. `, link);
}

/** @param {unknown} error */
function fail(error) {
  const message = error instanceof Error ? error.message : String(error);
  part('failure').textContent = message;
  if (error instanceof SignInNeeded) ask(message);
  else part('again').hidden = false;
}

/** Asks for credentials. @param {string} message why those before were not enough, or nothing */
function ask(message) {
  signOut();
  part('failure').textContent = message;
  part('again').hidden = true;
  part('work').hidden = true;
  part('empty').hidden = true;
  form.hidden = false;
  (user.value ? password : user).focus();
}

async function load() {
  part('failure').textContent = '';
  part('again').hidden = true;
  try {
    await queue.load();
    form.hidden = true;
    password.value = '';
    show();
    if (queue.sentence !== undefined) part('sentence').focus();
  } catch (error) {
    fail(error);
  }
}

/** @param {Sentiment | null} expected */
function say(expected) {
  part('failure').textContent = '';
  queue.say(expected);
}

queue.addEventListener('change', () => form.hidden && show());
queue.addEventListener('failure', (event) => fail(/** @type {CustomEvent} */ (event).detail));
form.addEventListener('submit', (event) => {
  event.preventDefault();
  signIn(user.value, password.value);
  load();
});
choices.forEach((choice) => choice.addEventListener('click', () => say(/** @type {Sentiment} */ (choice.value) || null)));
undo.addEventListener('click', () => queue.undo());
for (const id of ['again', 'look-again']) part(id).addEventListener('click', load);
document.addEventListener('keydown', (event) => {
  if (part('work').hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const choice = choices[KEYS.indexOf(event.key.toLowerCase())];
  if (choice && !choice.disabled) choice.click();
  else if (event.key.toLowerCase() === 'u' && !undo.disabled) undo.click();
});

if (signedIn()) load();
else ask('');
