// The keys of one store, and those that the filter lets through. The prompt comes first: it is what all others are about. What was
// counted of them comes last.

/** Where apps that ask a model keep their prompt. */
export const PROMPT = "prompt";

/** The start of the keys under which such apps count what they keep. */
export const TALLIES = "tally:";

/** @param {string} key */
export const isTally = (key) => key.startsWith(TALLIES);

/** Whether a number is kept under a key: of a tally, or of an experiment's journal. @param {string} key */
export const isCounter = (key) => /^(tally:(?!index$)|drawn:|annotated:)/.test(key);

export class Keys {
  /** @param {string[]} sorted */
  constructor(sorted) {
    const at = sorted.indexOf(PROMPT);
    this.all = at > 0 ? [PROMPT, ...sorted.toSpliced(at, 1)] : sorted;
    const tallies = sorted.filter(isTally);
    if (tallies.length) this.all = [...this.all.filter((key) => !isTally(key)), ...tallies];
    this.shown = this.all;
    this.query = "";
    /** @type {string[] | null} all keys in lower case, made when first needed */
    this.folded = null;
    /** @type {string[]} those shown, in lower case */
    this.foldedShown = [];
  }

  get hasPrompt() {
    return this.all[0] === PROMPT;
  }

  /** How many keys there are of tallies. */
  get tallies() {
    return this.all.length - position(this.all, TALLIES);
  }

  /** How many keys there are beside these and the prompt. */
  get others() {
    return this.all.length - this.tallies - Number(this.hasPrompt);
  }

  /** Does beforehand what the first filter would wait for. */
  prepare() {
    this.folded ??= this.all.map((key) => key.toLowerCase());
  }

  /** Shows the keys that hold the text, in whatever case. @param {string} query */
  filter(query) {
    const [wanted, before] = [query.toLowerCase(), this.query.toLowerCase()];
    this.query = query;
    if (!wanted) {
      this.shown = this.all;
      return;
    }
    this.prepare();
    // Another letter can only leave fewer.
    const fewer = before !== "" && wanted.includes(before);
    const [keys, folded] = fewer ? [this.shown, this.foldedShown] : [this.all, this.folded];
    const matches = (_, at) => folded[at].includes(wanted);
    [this.shown, this.foldedShown] = [keys.filter(matches), folded.filter((key) => key.includes(wanted))];
  }

  /** @param {string} key */
  add(key) {
    const at = position(this.all, key);
    if (this.all[at] !== key) this.#change(this.all.toSpliced(at, 0, key));
  }

  /** @param {Set<string>} gone */
  remove(gone) {
    this.#change(this.all.filter((key) => !gone.has(key)));
  }

  /** Where a key is among those shown, or -1. @param {string | null} key */
  indexOf(key) {
    if (key === null) return -1;
    const at = position(this.shown, key);
    return this.shown[at] === key ? at : -1;
  }

  #change(all) {
    this.all = all;
    this.folded = null;
    const query = this.query;
    this.query = "";
    this.filter(query);
  }
}

/** The first position whose key does not come before another. @param {string[]} sorted @param {string} key */
function position(sorted, key) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (comesBefore(sorted[middle], key)) low = middle + 1;
    else high = middle;
  }
  return low;
}

const group = (key) => (key === PROMPT ? 0 : isTally(key) ? 2 : 1);
const comesBefore = (one, other) => group(one) < group(other) || (group(one) === group(other) && one < other);

/** A key on one line: line ends are shown, a long one is cut, an empty one is named. @param {string} key */
export function onOneLine(key) {
  if (key === "") return "(empty key)";
  const line = key.length > 300 ? `${key.slice(0, 300)}…` : key;
  return line.replace(/\r\n|\r|\n/g, " ↵ ").replace(/\t/g, " ⇥ ");
}
