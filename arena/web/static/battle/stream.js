// The stream of a running turn. The browser connects again by itself and continues; what it cannot repair, this does.
import { api } from "./api.js";
import { applyFrame } from "./frames.js";
import { changed, state } from "./state.js";

const LONGEST_WAIT = 10_000; // milliseconds between two attempts to connect

let current = null; // {key, source, timer}
let position = null; // the id of the last event
let failures = 0;

/** Follows the running turn of a battle, once. */
export function follow(battle, accept, reload) {
  const key = `${battle.id} ${battle.turn} ${battle.attempt}`;
  if (current?.key === key) return;
  unfollow();
  connect({ key, id: battle.id, accept, reload });
}

/** Stops following. */
export function unfollow() {
  current?.source?.close();
  clearTimeout(current?.timer);
  current = null;
  position = null;
}

function connect(following) {
  const source = new EventSource(api.streamOf(following.id, position));
  current = { ...following, source };
  const on = (name, handle) => source.addEventListener(name, (event) => {
    if (current?.source !== source) return;
    failures = 0;
    if (event.lastEventId) position = event.lastEventId;
    handle(event.data ? JSON.parse(event.data) : null);
  });
  on("html", (frame) => {
    const first = Object.keys(frame).filter((side) => !state.started?.[side]);
    for (const side of first) (state.started ??= {})[side] = true;
    applyFrame(state.battle.turn, frame);
    if (first.length) changed(); // no other part draws what the frames write
  });
  on("state", (battle) => following.accept(battle, true));
  on("end", () => finish(following));
  on("replaced", () => finish(following));
  source.onerror = () => {
    if (current?.source !== source || source.readyState !== EventSource.CLOSED) return;
    reconnect(following);
  };
}

/** After the last event: the battle as stored, if the page does not know its end yet. */
function finish(following) {
  unfollow();
  if (state.battle?.status === "running") readAgain(following, 0);
}

/** The server refused the stream, or a proxy answered. */
function reconnect(following) {
  current.source.close();
  failures += 1;
  readAgain(following, Math.min(LONGEST_WAIT, 500 * 2 ** failures));
}

/** Asks for the battle after a wait, and follows it again if it still runs or nothing answers. */
function readAgain(following, wait) {
  const waiting = { key: following.key };
  current = waiting;
  waiting.timer = setTimeout(async () => {
    if (current !== waiting) return;
    current = null;
    await following.reload();
    if (current === null && state.battle?.status === "running") connect(following);
  }, wait);
}
