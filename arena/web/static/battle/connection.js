// Whether the arena can be reached. While it cannot, nothing can be pressed that it would not receive.
import { request } from "./api.js";
import { reload } from "./actions.js";
import { changed, state } from "./state.js";
import { loadFacts } from "./facts.js";

const POLL = 5_000, SOON = 1_500; // milliseconds

let boot = null, lookTimer = null, looks = 0;

async function look() {
  clearTimeout(lookTimer);
  const mine = ++looks;
  const health = await healthOf();
  if (mine !== looks) return; // a later look has the newer answer
  const back = state.offline && health, changes = state.offline !== !health || state.paused !== Boolean(health?.paused);
  const restarted = health && boot && boot !== health.boot;
  Object.assign(state, { offline: !health, paused: Boolean(health?.paused) });
  boot = health?.boot ?? boot;
  if (back) state.problem = null;
  if (changes) changed();
  schedule();
  if (back || restarted) await reload();
  if (restarted) await loadFacts();
}

/** What the arena says of itself, or null when it cannot be reached. */
async function healthOf() {
  try {
    const reply = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(POLL) });
    const { boot } = await reply.json();
    return boot ? { boot, paused: !reply.ok } : null; // without: the page of a proxy
  } catch {
    return null;
  }
}

function schedule() {
  clearTimeout(lookTimer);
  if (!document.hidden) lookTimer = setTimeout(look, state.offline || state.paused ? SOON : POLL);
}

export function startConnection() {
  addEventListener("offline", () => { state.offline = true; changed(); schedule(); });
  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  schedule();
}

/** A request found the arena unreachable: look again soon. */
export function suspect() {
  if (state.problem?.error.code === "unreachable" && !state.offline) look();
}
