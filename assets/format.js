// @ts-check
/** The few numbers that charts and progress write themselves; all others come in words from the server. */

const COUNT = new Intl.NumberFormat('en');
const ONE_PLACE = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** `1,616` @param {number} n */
export const count = (n) => COUNT.format(n);

/** `71.2%` @param {number} share of 1 */
export const percent = (share) => `${ONE_PLACE.format(share * 100)}%`;

/** `+3.9` or `−3.9` @param {number} difference of shares */
export function points(difference) {
  const tenths = Math.round(difference * 1000);
  const sign = tenths > 0 ? '+' : tenths < 0 ? '−' : '';
  return sign + ONE_PLACE.format(Math.abs(tenths) / 10);
}
