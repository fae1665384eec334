// Puts the page together: the address says what is shown, the parts tell what a person does.

// Before all others: what it asks for comes while they get ready.
import * as early from "./early.js";
import "./virtual-list.js";
import "./sign-in.js";
import "./store-tabs.js";
import "./entry-list.js";
import "./value-view.js";
import "./compare-view.js";
import { go, here } from "./address.js";
import * as api from "./api.js";
import { addKey, confirm } from "./dialogs.js";
import { say } from "./dom.js";

const find = (selector) => document.querySelector(selector);
const [signIn, tabs, list, view, compare] = ["sign-in", "store-tabs", "entry-list", "value-view", "compare-view"].map(find);
const [explore, compareButton, signOutButton] = ["#explore", "#compare", "#sign-out"].map(find);

/** @type {string[]} the labels that can be opened */
let labels = [];

/** What is shown; the address follows it. */
let place = here();
let writing = 0;

function render() {
  const store = place.store ?? labels[0];
  if (store === undefined) return;
  const comparing = place.against !== null;
  explore.hidden = comparing;
  compare.hidden = !comparing;
  explore.classList.toggle("opened", place.key !== null);
  compareButton.setAttribute("aria-pressed", String(comparing));
  tabs.current = comparing ? null : store;
  document.title = `${comparing ? `${store} vs. ${place.against}` : store} – Key-value explorer`;
  if (comparing) compare.show(store, place.against, place.filter);
  else {
    list.show(store, place.filter, place.key);
    view.show(store, place.key);
  }
}

/** Goes to a place that differs from the present one in some parts. While somebody types, the address may lag: browsers
 * allow only so many changes of it. */
function change(parts, typing = false) {
  place = { ...place, store: place.store ?? labels[0], ...parts };
  render();
  clearTimeout(writing);
  if (typing) writing = setTimeout(() => go(place, true), 300);
  else go(place);
}

function begin({ stores, read_only: readOnly }) {
  labels = stores.map(({ label }) => label);
  const usable = stores.filter(({ error }) => !error).map(({ label }) => label);
  if (place.store === null) {
    place = { ...place, store: usable[0] ?? labels[0] };
    go(place, true);
  }
  tabs.stores = stores;
  compare.labels = usable;
  compareButton.hidden = usable.length < 2;
  signOutButton.hidden = !api.signedIn();
  find("#read-only").hidden = !readOnly;
  list.readOnly = view.readOnly = readOnly;
  document.body.classList.add("ready");
  render();
}

function end(message) {
  // Several calls may be refused at once; the first says why.
  if (!signIn.hidden && !message) return;
  api.signOut();
  labels = [];
  explore.hidden = compare.hidden = true;
  compareButton.hidden = signOutButton.hidden = true;
  tabs.stores = [];
  signIn.ask(message);
}

async function start() {
  signIn.hidden = true;
  // A store that the address names is opened before the list of all is there.
  if (api.signedIn() && place.store !== null && place.against === null) render();
  try {
    begin(await early.stores());
  } catch (failure) {
    if (failure.status === 401) end(api.signedIn() ? failure.message : "");
    else signIn.explain(failure.message);
  }
}

/** What is being typed is not thrown away by a click elsewhere. */
async function mayLeave() {
  return !view.dirty || confirm({ title: "Discard your changes?", yes: "Discard" });
}

signIn.addEventListener("signed-in", (event) => {
  begin(event.detail);
  // The form that had the focus has gone.
  if (place.against !== null) compare.focusFilter();
  else if (place.key !== null) view.focusKey();
  else list.focusList();
});
signIn.addEventListener("retry", start);
document.addEventListener("signed-out", (event) => end(event.detail));
signOutButton.addEventListener("click", () => {
  api.signOut();
  // The keys and values that were shown leave the page's memory with it.
  location.reload();
});
compareButton.addEventListener("click", () => {
  if (place.against !== null) return change({ against: null });
  const left = compareLabels().includes(place.store) ? place.store : compareLabels()[0];
  return change({ store: left, against: compareLabels().find((label) => label !== left), key: null, filter: "" });
});
const compareLabels = () => [...compare.querySelector("select").options].map(({ value }) => value);

list.addEventListener("filter", (event) => change({ filter: event.detail }, true));
list.addEventListener("open", async (event) => {
  if (event.detail === place.key || !(await mayLeave())) return;
  change({ key: event.detail });
  // Where there is room for one pane alone, the list has gone and the focus with it.
  if (event.detail !== null && !list.checkVisibility()) view.focusKey();
});
list.addEventListener("counted", (event) => {
  tabs.counted(event.detail.label, event.detail.count);
  setTimeout(() => tabs.countOthers(), 300);
});
list.addEventListener("imported", () => view.load());
list.addEventListener("add", async () => {
  const key = await addKey(place.store, place.filter);
  if (key === null) return;
  list.written(key);
  change({ key });
  // Where there is room for one pane alone, the button that had the focus has gone.
  if (!list.checkVisibility()) view.focusKey();
  say("Key added.");
});
view.addEventListener("open", async () => {
  if (!(await mayLeave())) return;
  change({ key: null });
  list.focusList();
});
view.addEventListener("written", (event) => list.written(event.detail));
view.addEventListener("removed", (event) => {
  list.deleted([event.detail]);
  change({ key: null });
  list.focusList();
});
compare.addEventListener("compare", (event) => change({ store: event.detail.left, against: event.detail.right }));
compare.addEventListener("filter", (event) => change({ filter: event.detail }, true));

document.addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
  if (event.key !== "/" || typing || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  (compare.hidden ? list : compare).focusFilter();
});
addEventListener("popstate", () => {
  clearTimeout(writing);
  place = here();
  render();
});
addEventListener("beforeunload", (event) => {
  if (view.dirty) event.preventDefault();
});

start();
