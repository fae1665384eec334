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

/** The longest sentence the server takes, in bytes of UTF-8. */
export const MAX_SENTENCE_BYTES = 4096;

/** Milliseconds until an answer is given up: longer than any sensible limit of the server's own. */
const PATIENCE = 120_000;

const SENTIMENTS = ['positive', 'neutral', 'negative', 'unsure'];

/** Something went wrong, and the message says what, in words for a person. */
export class Problem extends Error {}

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
 * Describes the experiment that is running.
 * @returns {Promise<Experiment>}
 */
export async function experiment() {
  const answer = await request('/api/variants');
  if (!Array.isArray(answer?.variants)) throw new Problem(NOT_UNDERSTOOD);
  return answer;
}

const NOT_UNDERSTOOD = 'The server answered something this page does not understand. Reload the page; it may be outdated.';

/**
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>} the JSON of a successful answer
 * @throws {Problem}
 */
async function request(path, init) {
  try {
    const response = await fetch(path, { ...init, signal: AbortSignal.timeout(PATIENCE) });
    const body = await response.text();
    if (response.ok) return JSON.parse(body);
    throw new Problem(detailOf(body) ?? `The server answered with status ${response.status}.`);
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (error instanceof SyntaxError) throw new Problem(NOT_UNDERSTOOD);
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    throw new Problem(
      timedOut
        ? `There was no answer within ${PATIENCE / 1000} seconds.`
        : 'The server cannot be reached. Check that it is running, then retry.',
    );
  }
}

/**
 * The detail of a problem (RFC 9457), where the body is one.
 * @param {string} body
 * @returns {string | undefined}
 */
function detailOf(body) {
  try {
    const { detail, title } = JSON.parse(body);
    return detail || title;
  } catch {
    return undefined;
  }
}
