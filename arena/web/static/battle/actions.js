// What a voter can do. One action at a time; a failed one keeps everything and says how to try again.
import { api, Problem } from "./api.js";
import { withAnswer } from "./challenge.js";
import { changed, isOver, isRunning, state } from "./state.js";
import { follow, unfollow } from "./stream.js";

const STALE = new Set(["wrong_status", "already_voted", "too_late", "interrupted", "not_found", "still_running"]);

const BRIEF = new Set(["hold", "share"]); // what the voter does meanwhile comes after these, and is not lost

let underWay = null; // the action of `state.busy`

/** Runs one action; returns whether it succeeded. */
async function act(name, work) {
  if (BRIEF.has(state.busy)) await underWay;
  if (state.busy) return false;
  return underWay = perform(name, work);
}

async function perform(name, work) {
  Object.assign(state, { busy: name, problem: null });
  changed();
  try {
    const battle = await work();
    if (battle) accept(battle);
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    state.problem = { action: name, error, again: () => act(name, work) };
    if (STALE.has(error.code)) await reload(error);
    return false;
  } finally {
    state.busy = null;
    changed();
  }
}

/** Takes a battle as the current one. Texts that it leaves out stay as they are. A state of the stream comes before its last text. */
export function accept(battle, ofStream = false) {
  const before = state.battle?.id === battle.id ? state.battle : null;
  state.battle = withTexts(battle, before);
  if (battle.status === "running" && (before?.status !== "running" || before.attempt !== battle.attempt)) {
    Object.assign(state, { since: Date.now(), started: {} });
  }
  showAddress(battle.id);
  if (battle.status === "running") follow(battle, accept, reload);
  else if (!ofStream) unfollow();
  if (battle.withheld && !before?.withheld && !battle.turns) reload(); // the texts are gone
  if (battle.vote && battle.status === "voted" && !state.battle.reveal && !battle.turns) reload(); // a state of the stream has no cards
  changed();
}

/** Each battle is a page of the history, so that the browser's way back leads from one battle to the one before. */
function showAddress(id) {
  const isSame = battleOfAddress() === id;
  history[isSame ? "replaceState" : "pushState"](null, "", id ? `/?battle=${encodeURIComponent(id)}` : "/");
}

export const battleOfAddress = () => new URLSearchParams(location.search).get("battle") || null;

/** The battle with the texts that it leaves out. What the stream has written since is not known here: it is undefined. */
function withTexts(battle, before) {
  const turns = (battle.turns ?? before?.turns ?? []).map((turn) => {
    const old = before?.turns.find(({ number }) => number === turn.number);
    const isLast = turn.number === (battle.turn ?? before?.turn);
    const completions = {};
    for (const side of ["a", "b"]) {
      const written = turn.completions?.[side], known = old?.completions[side];
      if (!written && !known) continue;
      const texts = battle.turns && written?.html !== undefined ? {} : isLast ? { text: undefined, html: undefined } : { text: known?.text, html: known?.html };
      completions[side] = { ...known, ...written, ...texts, ...(isLast ? battle.completions?.[side] : {}) };
    }
    return { ...old, ...turn, completions };
  });
  return { ...before, ...battle, turns };
}

/** The battle as the arena has it now; without one, the page before a battle. */
export async function reload(reason) {
  const id = state.battle?.id;
  if (!id) return;
  try {
    accept(await api.read(id));
  } catch (error) {
    if (error.code === "not_found" && reason?.code === "not_found") forget();
  }
}

function forget() {
  unfollow();
  Object.assign(state, { battle: null, editing: false, started: {} });
  showAddress(null);
  changed();
}

const begin = (body) => withAnswer((answer) => api.begin(answer ? { ...body, answer } : body));

/** Sends the composer's text: a first prompt, a further one, or the last one changed. */
export function send(prompt, images, choice) {
  const { battle, editing } = state;
  if (editing) return act("edit", () => api.edit(battle.id, { prompt })).then(editingDone);
  if (isOver()) {
    return act("begin", async () => {
      const begun = await begin({ prompt, ...choice, ...(images.length ? { images } : {}) });
      state.battle = null;
      return begun;
    });
  }
  return act("turn", () => api.turn(battle.id, { prompt, ...(images.length ? { images } : {}) }));
}

function editingDone(succeeded) {
  if (succeeded) state.editing = false;
  changed();
  return succeeded;
}

export const vote = (winner, reasons) => act("vote", () => api.vote(state.battle.id, { winner, reasons }));
export const revealNow = () => act("vote", () => api.vote(state.battle.id, { winner: state.battle.vote.winner, final: true }));
/** Renews the time in which the vote can be undone. */
export const hold = () => {
  if (!state.busy) act("hold", () => api.vote(state.battle.id, { winner: state.battle.vote.winner }));
};
export const undo = () => act("undo", () => api.undo(state.battle.id));
export const stop = () => (isRunning() ? act("stop", () => api.stop(state.battle.id)) : false);
export const regenerate = (side) => act("regenerate", () => api.regenerate(state.battle.id, side));
export const reroll = (side) => act("reroll", () => api.reroll(state.battle.id, side));
export const retry = () => act("retry", () => api.retry(state.battle.id));
export const share = (agreed) => act("share", () => api.share(state.battle.id, agreed));
export const report = (body) => act("report", () => api.report(state.battle.id, body));

/** The same first prompt with two other models. */
export const again = () => act("begin", async () => {
  const begun = await begin({ prompt: "", again: state.battle.id });
  state.battle = null;
  return begun;
});

/** Leaves the battle. It is closed without a vote, unless it has one. */
export const leave = () => act("leave", async () => {
  try {
    if (state.battle && !isOver()) await api.leave(state.battle.id);
  } catch (error) {
    if (!STALE.has(error.code)) throw error;
  }
  forget();
});

/** Opens the battle of the address. */
export const open = (id) => act("open", async () => {
  try {
    return await api.read(id);
  } catch (error) {
    if (error.code === "not_found") history.replaceState(null, "", "/");
    throw error;
  }
});
