// The page's state in the address, so that a store, a filter and a key can be linked to.

/**
 * @typedef {object} Place
 * @property {string | null} store
 * @property {string} filter
 * @property {string | null} key
 * @property {string | null} against the store to compare with, while comparing
 */

/** @returns {Place} */
export function here() {
  const parts = new URLSearchParams(location.hash.slice(1));
  return {
    store: parts.get("store"),
    filter: parts.get("filter") ?? "",
    key: parts.get("key"),
    against: parts.get("against"),
  };
}

/** Writes a place into the address: as a new entry of the tab's history, or over the present one.
 * @param {Place} place @param {boolean} [over] */
export function go(place, over = false) {
  const parts = new URLSearchParams();
  if (place.store !== null) parts.set("store", place.store);
  if (place.against !== null) parts.set("against", place.against);
  if (place.filter) parts.set("filter", place.filter);
  if (place.key !== null) parts.set("key", place.key);
  const address = `#${parts}`;
  if (address === location.hash) return;
  history[over ? "replaceState" : "pushState"](null, "", address);
}
