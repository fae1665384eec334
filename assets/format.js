// @ts-check
/** Numbers in words, the same on every part of the page. */
/** @import { Interval, Proportion } from './api.js' */

const COUNT = new Intl.NumberFormat('en');
const PERCENT = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
const ONE_PLACE = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const ROUND = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** `1,616` @param {number} n */
export const count = (n) => COUNT.format(n);

/** `1 sentence`, `330 sentences` @param {number} n @param {string} one @param {string} [many] */
export const counted = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** `71.2%` @param {number} share of 1 */
export const percent = (share) => PERCENT.format(share);

/** `97.5%`; never shown as certain @param {number} chance */
export const chance = (chance) => (chance > 0.999 ? '> 99.9%' : chance < 0.001 ? '< 0.1%' : percent(chance));

/** `0.05` points; never shown as nothing @param {number} loss of accuracy */
export const loss = (loss) => (loss < 0.0001 ? '< 0.01' : (loss * 100).toFixed(2));

/** `71.2% of 330 (66.1–75.8)` @param {Proportion} share */
export const proportion = ({ value, n, low, high }) =>
  `${percent(value)} of ${count(n)} (${ONE_PLACE.format(low * 100)}–${ONE_PLACE.format(high * 100)})`;

/** `10` for a tenth @param {number} difference of shares */
export const size = (difference) => ROUND.format(difference * 100);

/** `+3.9` or `−3.9` @param {number} difference of shares */
export function points(difference) {
  const tenths = Math.round(difference * 1000);
  const sign = tenths > 0 ? '+' : tenths < 0 ? '−' : '';
  return sign + ONE_PLACE.format(Math.abs(tenths) / 10);
}

/** `−0.4 to +8.2` @param {Interval} interval of a difference of shares */
export const range = ({ low, high }) => `${points(low)} to ${points(high)}`;

/** Never shown as 0 @param {number} p */
export const probability = (p) => (p < 0.0001 ? '< 0.0001' : p.toFixed(4));

/** `210 ms`, `2.1 s` @param {number} milliseconds */
export const duration = (milliseconds) =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${ROUND.format(milliseconds / 1000)} s`;

/** @param {number} mean */
export const mean = (mean) => ROUND.format(mean);
