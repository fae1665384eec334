// @ts-check
/** The page on which people annotate. */

import { showDisputes } from './annotating-disputes.js';
import { AnnotatingQueue } from './annotating-queue.js';
import { SignInNeeded, signIn, signOut, signedInAs } from './annotations.js';

/** @import { Sentiment } from './api.js' */

const part = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const form = /** @type {HTMLFormElement} */ (part('sign-in'));
const user = /** @type {HTMLInputElement} */ (part('user'));
const password = /** @type {HTMLInputElement} */ (part('password'));
const undo = /** @type {HTMLButtonElement} */ (part('undo'));
const choices = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('#choices button[value]'));
const bar = /** @type {HTMLProgressElement} */ (part('bar'));
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
function showStanding({ annotated, about_needed: needed, decided, disputed }) {
  const done = `${annotated.toLocaleString('en')} annotated`;
  bar.value = decided ? 1 : annotated / (annotated + (needed ?? annotated + 1));
  bar.dataset.decided = String(decided);
  showDisputed(disputed);
  if (!decided) {
    part('standing').textContent = needed === null ? done : `${done}, about ${needed.toLocaleString('en')} more to decide`;
    return;
  }
  const link = document.createElement('a');
  link.href = '/results';
  link.textContent = 'See the results';
  part('standing').replaceChildren(`Decided. ${done}. `, link);
}

/** How many disputes are listed, or about to be. */
let listed = 0;

/** @param {number} disputed */
async function showDisputed(disputed) {
  const link = part('to-disputes');
  link.textContent = `${disputed.toLocaleString('en')} disputed`;
  link.hidden = disputed === 0;
  if (disputed === listed) return;
  listed = disputed;
  try {
    const change = (/** @type {string} */ sentence, /** @type {Sentiment | null} */ expected) => queue.change(sentence, expected);
    const shown = await showDisputes(part('disputed'), change);
    part('disputes').hidden = shown === 0 || !form.hidden;
  } catch (error) {
    listed = 0;
    fail(error);
  }
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
  part('disputes').hidden = true;
  part('signed-in').hidden = true;
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
    part('who').textContent = `Signed in as ${signedInAs() ?? ''}.`;
    part('signed-in').hidden = false;
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
// Nothing of this person is left on the page.
part('sign-out').addEventListener('click', () => (signOut(), location.reload()));
for (const id of ['again', 'look-again']) part(id).addEventListener('click', load);
document.addEventListener('keydown', (event) => {
  if (part('work').hidden || part('disputes').contains(/** @type {Node} */ (event.target)) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const choice = choices[KEYS.indexOf(event.key.toLowerCase())];
  if (choice && !choice.disabled) choice.click();
  else if (event.key.toLowerCase() === 'u' && !undo.disabled) undo.click();
});

if (signedInAs() !== undefined) load();
else ask('');
