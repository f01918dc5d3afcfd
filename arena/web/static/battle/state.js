// What the page knows. Parts subscribe and draw themselves again after each change.

export const state = {
  battle: null, // the last Battle of the API
  facts: null, // of GET /api/v1/arena
  busy: null, // the name of the action under way
  problem: null, // {action, error, again}: what did not work, and how to try again
  offline: false, // the arena cannot be reached
  paused: false, // the arena is reached but can save nothing
  editing: false, // the composer holds the last prompt
  checking: null, // how far a proof of work is, from 0 to 1
  since: 0, // when the running turn began, for the seconds that are shown
};

const listeners = [];
let planned = false;

export const subscribe = (listener) => listeners.push(listener);

/** Draws again: once for all changes of the same moment. */
export function changed() {
  if (planned) return;
  planned = true;
  queueMicrotask(() => {
    planned = false;
    for (const listener of listeners) listener(state);
  });
}

export const isRunning = () => state.battle?.status === "running";
export const isFailed = () => state.battle?.status === "failed";
export const isCounted = () => state.battle?.status === "voted";
/** Whether a model takes part under a code: the vote on it changes no rating. */
export const isPrivate = () => sides().some((side) => state.battle?.models?.[side]?.startsWith("private:"));
/** Whether a check or a person holds the vote. */
export const isHeld = () => isCounted() && state.battle.vote?.counts === false && Boolean(state.battle.reveal) && !state.battle.reveal.control && !isPrivate();
export const isPending = () => Boolean(state.battle?.vote?.undo_until);
export const isOver = () => !state.battle || ["voted", "failed", "abandoned"].includes(state.battle.status);
export const isBlind = () => (state.battle?.mode ?? "blind") === "blind";
export const sides = () => (state.battle?.mode === "single" ? ["a"] : ["a", "b"]);
export const hasText = () => sides().every((side) => state.started?.[side]);
