// @ts-check
/** The sentences that wait: the next one is already here, and what was said is sent in the background, in order. */

import * as annotations from './annotations.js';

/** @import { Sentiment } from './api.js' */
/** @import { Standing } from './annotations.js' */

/** When fewer than this many are left, more are asked for. */
const FEW = 6;

/** How many are remembered for undoing. */
const REMEMBERED = 50;

/** Fires `change` when there is something else to show, and `failure` with why something was not sent or loaded. */
export class AnnotatingQueue extends EventTarget {
  /** @type {string[]} */
  #waiting = [];
  /** @type {string[]} */
  #said = [];
  /** Everything that was ever shown: the server may not have heard yet that it is done. @type {Set<string>} */
  #known = new Set();
  /** @type {Standing | undefined} */
  standing;
  /** What is under way; the next follows it. @type {Promise<void>} */
  #sending = Promise.resolve();
  #loading = false;

  get sentence() {
    return this.#waiting[0];
  }

  get canUndo() {
    return this.#said.length > 0;
  }

  /** Asks for sentences. What goes wrong is thrown. */
  async load() {
    if (this.#loading) return;
    this.#loading = true;
    try {
      const { queue, ...standing } = await annotations.next();
      this.standing = standing;
      for (const { sentence } of queue) {
        if (this.#known.has(sentence)) continue;
        this.#known.add(sentence);
        this.#waiting.push(sentence);
      }
    } finally {
      this.#loading = false;
    }
    this.dispatchEvent(new Event('change'));
  }

  /** Says what is right for the sentence that is shown, and shows the next. @param {Sentiment | null} expected */
  say(expected) {
    const sentence = this.#waiting.shift();
    if (sentence === undefined) return;
    this.#said = [...this.#said, sentence].slice(-REMEMBERED);
    this.dispatchEvent(new Event('change'));
    this.#send(() => annotations.annotate(sentence, expected), () => {
      this.#said = this.#said.filter((other) => other !== sentence);
      if (!this.#waiting.includes(sentence)) this.#waiting.unshift(sentence);
    });
    if (this.#waiting.length < FEW) this.#send(async () => (await this.load(), this.standing), () => {});
  }

  /** Changes the answer for a sentence that had its turn. @param {string} sentence @param {Sentiment | null} expected */
  change(sentence, expected) {
    this.#send(() => annotations.annotate(sentence, expected), () => {});
  }

  /** Takes the last annotation back, and shows its sentence again. */
  undo() {
    const sentence = this.#said.pop();
    if (sentence === undefined) return;
    this.#waiting.unshift(sentence);
    this.dispatchEvent(new Event('change'));
    this.#send(() => annotations.retract(sentence), () => {});
  }

  /**
   * @param {() => Promise<Standing | undefined>} work
   * @param {() => void} giveUp what to do if it fails
   */
  #send(work, giveUp) {
    this.#sending = this.#sending.then(async () => {
      try {
        this.standing = (await work()) ?? this.standing;
      } catch (error) {
        giveUp();
        this.dispatchEvent(new CustomEvent('failure', { detail: error }));
      }
      this.dispatchEvent(new Event('change'));
    });
  }
}
