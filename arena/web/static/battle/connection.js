// Whether the arena can be reached. While it cannot, nothing can be pressed that it would not receive.
import { request } from "./api.js";
import { reload } from "./actions.js";
import { changed, state } from "./state.js";
import { loadFacts } from "./facts.js";

const POLL = 5_000, SOON = 1_500; // milliseconds

let boot = null, lookTimer = null;

async function look() {
  clearTimeout(lookTimer);
  const before = { offline: state.offline, paused: state.paused };
  try {
    const reply = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(POLL) });
    const health = await reply.json();
    if (!health.boot) throw new TypeError("the page of a proxy");
    Object.assign(state, { offline: false, paused: !reply.ok });
    if (boot && boot !== health.boot) { boot = health.boot; await reload(); await loadFacts(); }
    boot = health.boot;
  } catch {
    state.offline = true;
  }
  if (before.offline !== state.offline || before.paused !== state.paused) {
    if (before.offline && !state.offline) { state.problem = null; await reload(); }
    changed();
  }
  schedule();
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
