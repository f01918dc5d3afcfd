// The focus never falls to the top of the page: when what had it is gone, hidden or disabled, it goes to what comes next.
import { find, isTouch } from "./dom.js";
import { isPending, state, subscribe } from "./state.js";

let last = null, part = null; // what had the focus, and the live part that it was in
let gone = false; // whether it could not keep it
let voted = null; // the last vote: after an undo its button is next

const isUsable = (node) => node.isConnected && !node.disabled && node.checkVisibility();

/** What a voter needs next: to undo, to read who the models were, to vote again, or to type. */
function nextTarget() {
  if (isPending()) return find("[data-focus='undo']");
  const revealed = find("#reveal-title"), button = find(`[data-vote="${voted}"]`);
  if (revealed?.checkVisibility()) return revealed;
  if (part === "votes" && button && isUsable(button)) return button;
  return find(isTouch() ? "#main" : "#prompt"); // opens no keyboard on a phone
}

function keepFocus() {
  voted = state.battle?.vote?.winner ?? voted;
  if (last && !isUsable(last)) gone = true;
  if (!gone || state.busy || (document.activeElement !== document.body && document.activeElement !== last)) return;
  (isUsable(last) ? last : nextTarget())?.focus();
}

export function startFocus() {
  document.addEventListener("focusin", ({ target }) => {
    [last, part, gone] = [target, target.closest("[data-live]")?.dataset.live, false];
  });
  document.addEventListener("pointerup", () => { // a reader who presses beside everything has left what had the focus
    if (document.activeElement === document.body && !gone) last = null;
  });
  subscribe(keepFocus);
}
