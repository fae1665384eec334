// Asks for what the page shows first, before the page's other modules get ready.

import { here } from "./address.js";
import * as api from "./api.js";

const { store, against } = here();

const asked = {
  keys: api.signedIn() && store !== null && against === null ? api.firstKeys(store) : null,
  stores: api.stores(),
};
for (const answer of Object.values(asked)) {
  // Whoever takes the answer hears of its failure.
  answer?.catch(() => {});
}

/** An answer, for the first who takes it. @param {"keys" | "stores"} name */
function take(name) {
  const answer = asked[name];
  asked[name] = null;
  return answer;
}

/** As in `api`. */
export const stores = () => take("stores") ?? api.stores();

/** As in `api`. @param {string} label @param {AbortSignal} signal */
export function firstKeys(label, signal) {
  const answer = take("keys");
  return (label === store && answer) || api.firstKeys(label, signal);
}
