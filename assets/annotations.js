// @ts-check
/** People who sign in say what is right. Their credentials are kept for this tab alone. */

import { Problem, request } from './api.js';

/** @import { Sentiment } from './api.js' */

const KEPT = 'annotator-credentials';

/**
 * How far the annotating has come.
 * @typedef {object} Standing
 * @property {number} annotated
 * @property {number} disputed those of them of which people say different things
 * @property {number | null} about_needed nothing where that cannot be told
 * @property {boolean} decided
 */

/**
 * What people say about a sentence; nothing where they cannot tell.
 * @typedef {{ sentence: string, given: { annotator: string, expected: Sentiment | null }[] }} Dispute
 */

/** The credentials are missing or wrong. */
export class SignInNeeded extends Problem {}

/** @param {string} user @param {string} password */
export function signIn(user, password) {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  sessionStorage.setItem(KEPT, btoa(String.fromCharCode(...bytes)));
}

export const signOut = () => sessionStorage.removeItem(KEPT);

/** The name of the person who signed in; nothing where nobody did. */
export function signedInAs() {
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null) return undefined;
  const bytes = Uint8Array.from(atob(kept), (byte) => byte.charCodeAt(0));
  return new TextDecoder().decode(bytes).split(':')[0];
}

/**
 * Sentences that nobody has annotated yet.
 * @returns {Promise<{ queue: { sentence: string }[] } & Standing>}
 */
export const next = () => call('/api/annotations/next?n=20', {});

/**
 * Sentences of which people say different things.
 * @returns {Promise<{ annotator: string, disputes: Dispute[] } & Standing>}
 */
export const disputed = () => call('/api/annotations/disputed', {});

/** @param {string} sentence @param {Sentiment | null} expected nothing: cannot tell @returns {Promise<Standing>} */
export const annotate = (sentence, expected) =>
  call('/api/annotations', { method: 'POST', body: JSON.stringify({ sentence, expected }) });

/** @param {string} sentence @returns {Promise<Standing>} */
export const retract = (sentence) => call('/api/annotations', { method: 'DELETE', body: JSON.stringify({ sentence }) });

/** @param {string} path @param {RequestInit} init */
async function call(path, init) {
  /** @type {Record<string, string>} */
  const headers = { 'content-type': 'application/json', authorization: `Basic ${sessionStorage.getItem(KEPT) ?? ''}` };
  try {
    // The browser is told to leave its own credentials out, so that it never asks for them itself.
    return await request(path, { ...init, headers, credentials: 'omit' });
  } catch (error) {
    if (error instanceof Problem && error.status === 401) throw new SignInNeeded(error.message);
    throw error;
  }
}
