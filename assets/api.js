// @ts-check
/** The one module that talks to the server. */

/** @typedef {'positive' | 'neutral' | 'negative' | 'unsure'} Sentiment */

/**
 * @typedef {object} Answer
 * @property {Sentiment} sentiment
 * @property {string} variant the label of the store whose prompt gave the answer
 * @property {boolean} cached whether the answer was in the store already
 */

/**
 * @typedef {object} Variant
 * @property {string} label
 * @property {number} weight relative to the other variants
 * @property {string} [prompt] its text
 * @property {string} [fingerprint] of the prompt: the first 12 hex digits of its SHA-256
 * @property {'store' | 'default'} [origin] of the prompt
 * @property {string} [error] why the store could not be read
 */

/**
 * @typedef {object} Experiment
 * @property {string} assignment
 * @property {string} model
 * @property {string} model_note what people should know about the model, or nothing
 * @property {Variant[]} variants
 */

/**
 * A share with what it is of and its 95% interval, in 0 to 1.
 * @typedef {{ count: number, n: number, value: number, low: number, high: number }} Proportion
 *
 * @typedef {{ low: number, high: number }} Interval
 * @typedef {{ first: number, second: number }} Each
 */

/**
 * What was observed of one variant. Nothing (`null`) is what cannot be told for want of observations.
 * @typedef {object} VariantReport
 * @property {string} label
 * @property {number} n observations
 * @property {{ outcome: Sentiment, count: number, share: number | null }[]} outcomes
 * @property {Proportion | null} accuracy of the observations that people labelled
 * @property {{ expected: Sentiment, counts: number[] }[]} confusion
 */

/**
 * A difference of accuracies.
 * @typedef {{ value: number, deciding: Interval, fixed: Interval }} Difference
 */

/**
 * Two variants; differences are second − first.
 * @typedef {object} Comparison
 * @property {string} first
 * @property {string} second
 * @property {Difference | null} difference by labels, which live are visitors' votes
 * @property {{ difference: Difference | null } | null} annotated what people who signed in said where the two differ
 * @property {{ n: number, differ: number }} seen_by_both
 */

/**
 * What may be said, and what to do next.
 * @typedef {object} Conclusion
 * @property {boolean} settled whether it may look so
 * @property {string} heading
 * @property {string} text
 * @property {{ step: 'analyse' | 'annotate' | 'promote', text: string } | null} next
 */

/**
 * A table of text; the first column has the names of the rows.
 * @typedef {{ caption: string, head: string[], rows: string[][] }} TextTable
 */

/**
 * The results in words.
 * @typedef {object} Presentation
 * @property {Conclusion} conclusion
 * @property {string[]} accuracies of each variant
 * @property {TextTable} variants each variant in numbers
 * @property {TextTable} outcomes their shares
 * @property {(TextTable | null)[]} confusions of each variant
 * @property {{ title: string, text: string, chart: string | null, figures: TextTable | null }[]} comparisons
 * @property {string[]} assignments
 * @property {string[]} method
 */

/**
 * Which prompt is better, in numbers and in words. Only the server says when and how fast it was read; only an evaluation has
 * `gates`, `disagreements` and `prompts`.
 * @typedef {object} Results
 * @property {string} at when it was made
 * @property {number} elapsed_ms how long that took
 * @property {string} [model_note] what people should know about the model, or nothing
 * @property {VariantReport[]} variants
 * @property {Comparison[]} comparisons of each two
 * @property {{ winner: string | null } | null} decision of all; nothing with one variant
 * @property {{ message: string, advice: string }[]} warnings
 * @property {{ looks: 'any' | 'once' }} method
 * @property {Presentation} presentation
 * @property {{ met: boolean, text: string }[]} [gates] what was required
 * @property {{ row: number, sentence: string, expected: Sentiment, answers: JudgedAnswer[] }[]} [disagreements]
 * @property {{ variant: string, fingerprint: string, text: string }[]} [prompts]
 *
 * @typedef {{ correct: boolean, outcome?: Sentiment, completion?: string, error?: string }} JudgedAnswer
 */

/** The longest sentence the server takes, in bytes of UTF-8. */
export const MAX_SENTENCE_BYTES = 4096;

/** Milliseconds of silence until an answer is given up: longer than any sensible limit of the server's own. */
const PATIENCE = 120_000;

/** @type {Sentiment[]} */
export const SENTIMENTS = ['positive', 'neutral', 'negative', 'unsure'];

/** Something went wrong, and the message says what, in words for a person. */
export class Problem extends Error {
  /** @param {string} message @param {number} [status] of the answer, if there was one */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks which sentiment a sentence has.
 * @param {string} sentence
 * @returns {Promise<Answer>}
 */
export async function classify(sentence) {
  const answer = await request('/api/sentiment-analysis', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sentence }),
  });
  if (!SENTIMENTS.includes(answer?.sentiment)) throw new Problem(NOT_UNDERSTOOD);
  return answer;
}

/**
 * Records what would have been the right answer to a sentence that a variant answered.
 * @param {string} sentence
 * @param {string} variant
 * @param {Sentiment | null} expected nothing removes an earlier judgement
 */
export async function correct(sentence, variant, expected) {
  await request('/api/feedback', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sentence, variant, expected }),
  });
}

/**
 * Describes the experiment that is running.
 * @returns {Promise<Experiment>}
 */
export async function experiment() {
  const answer = await request('/api/variants');
  if (!Array.isArray(answer?.variants)) throw new Problem(NOT_UNDERSTOOD);
  return answer;
}

/**
 * What the observations so far say about the variants.
 * @returns {Promise<Results>}
 * @throws {Problem}
 */
export async function results() {
  const answer = await request('/api/results');
  if (!Array.isArray(answer?.variants)) throw new Problem(NOT_UNDERSTOOD);
  return answer;
}

const NOT_UNDERSTOOD = 'The server sent something that this page does not understand. Reload the page; it may be outdated.';

/**
 * Sends a request and reads its answer.
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>} the JSON of a successful answer
 * @throws {Problem}
 */
export async function request(path, init) {
  try {
    const response = await fetch(path, { ...init, signal: AbortSignal.timeout(PATIENCE) });
    const body = await response.text();
    if (response.ok) return JSON.parse(body);
    throw refusal(response, body);
  } catch (error) {
    throw problemOf(error);
  }
}

/**
 * Why the server did not do what was asked, and when to try again where it says so.
 * @param {Response} response
 * @param {string} body
 */
function refusal({ status, headers }, body) {
  const detail = detailOf(body) ?? `The server answered with status ${status}.`;
  const time = timeAfter(headers.get('retry-after'));
  return new Problem(time ? `${detail} Try again after ${time}.` : detail, status);
}

/**
 * The time of day that the header `Retry-After` means (RFC 9110): so many seconds from now, or a date. Nothing where it means
 * neither, or is over. A time stays true on a card that is read later, which a number of seconds does not.
 * @param {string | null} value
 */
function timeAfter(value) {
  if (!value) return undefined;
  const now = new Date();
  const time = new Date(/^\d+$/.test(value) ? now.getTime() + Number(value) * 1000 : value);
  if (!(time > now)) return undefined;
  const day = time.toDateString() === now.toDateString() ? undefined : 'medium';
  return time.toLocaleString('en', { dateStyle: day, timeStyle: 'medium', hourCycle: 'h23' });
}

/**
 * What went wrong with a request, in words.
 * @param {unknown} error
 */
function problemOf(error) {
  if (error instanceof Problem) return error;
  if (error instanceof SyntaxError) return new Problem(NOT_UNDERSTOOD);
  const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
  return new Problem(
    timedOut
      ? `The server did not answer within ${PATIENCE / 1000} seconds. Try again.`
      : 'The server cannot be reached. Check that it is running, then try again.',
  );
}

/**
 * The detail of a problem (RFC 9457), where the body is one.
 * @param {string} body
 * @returns {string | undefined}
 */
function detailOf(body) {
  try {
    const { detail, title } = JSON.parse(body);
    return [detail, title].find((text) => text && typeof text === 'string');
  } catch {
    return undefined;
  }
}
