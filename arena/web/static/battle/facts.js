// What the arena offers: limits, models, reasons, prompts; and whether a battle can begin.
import { api } from "./api.js";
import { find } from "./dom.js";
import { changed, state } from "./state.js";

const AGAIN = 2_000; // milliseconds while no battle can begin

let timer = null;

/** The facts that came with the document: the page needs no request for them. */
export function embeddedFacts() {
  const text = find("#facts")?.textContent;
  if (text) state.facts = JSON.parse(text);
  if (!state.facts || state.facts.can_begin === false || state.facts.sign_in?.required) loadFacts(); // is this voter signed in?
}

export async function loadFacts() {
  clearTimeout(timer);
  try {
    state.facts = await api.facts();
    changed();
  } catch (error) {
    if (error.code !== "unreachable") return; // the page works without
  }
  if (!state.facts || state.facts.can_begin === false) timer = setTimeout(loadFacts, AGAIN);
}
