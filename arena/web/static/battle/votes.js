// The vote bar, the line above it, and the keys that vote.
import { again, hold, leave, reload, revealNow, undo, vote } from "./actions.js";
import { focusComposer, isComposing } from "./composer.js";
import { all, button, el, fill, find, show, write } from "./dom.js";
import { isBlind, isCounted, isFailed, isOver, isPending, isRunning, state, subscribe } from "./state.js";
import { announce } from "./tell.js";

const KEYS = { KeyJ: "model_a", KeyK: "tie", KeyN: "both_bad", KeyL: "model_b" }; // with Alt: free in the browsers
const PLAIN = { a: "model_a", b: "model_b", t: "tie", x: "both_bad" }; // only while the vote bar has the focus
const UNDO = "KeyU"; // with Alt as well
const OTHERS = 4; // models that must be there for two others
const SHORT = 3; // seconds left, below which a voter who moves through the reasons gets more time
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

let countdown = null;

/** A key with Alt, as this system writes it. */
export const keyName = (letter) => `${isMac ? "⌥" : "Alt+"}${letter}`;

const bar = () => find("#vote-bar");
export const wordOf = (winner) => ({
  model_a: t("A is better"), model_b: t("B is better"), tie: t("Tie"), both_bad: t("Both are bad"),
})[winner];

export const heldText = () => t("Your vote is saved and does not count on the leaderboard at the moment.");

/** Whether this arena counts votes of people who are signed in, and this voter is not. */
const mustSignIn = () => Boolean(state.facts?.sign_in?.required) && state.facts.sign_in.signed_in === false;

const canVote = () => isBlind() && !mustSignIn() && state.battle?.can_vote && !state.battle.vote && !state.busy && !state.offline;

function choose(winner) {
  if (canVote()) vote(winner);
}

/** The chosen reason has the focus then, also where a press gives none: Safari, and a screen reader's own cursor. */
function toggleReason(reason, { currentTarget }) {
  currentTarget.focus({ preventScroll: true });
  const { winner, reasons = [] } = state.battle.vote;
  const kept = reasons.includes(reason) ? reasons.filter((one) => one !== reason) : [...reasons, reason];
  vote(winner, kept);
}

/** Whole seconds until the vote counts. */
function secondsLeft() {
  const until = state.battle?.vote?.undo_until;
  return until ? Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1000)) : 0;
}

/** Asks for the battle when its vote is due, until the arena says that it counts. */
function tick() {
  clearTimeout(countdown);
  if (!isPending()) return;
  const left = secondsLeft();
  for (const one of all("[data-seconds]")) write(one, left > 0 ? t("Vote saved. It counts in {seconds} s.", { seconds: left }) : t("Vote saved. Counting it…"));
  countdown = setTimeout(async () => {
    if (isPending() && secondsLeft() <= 0 && !state.busy) await reload();
    tick();
  }, left > 0 ? 250 : 600);
}

const reasonsOf = (winner) => state.facts?.reasons?.[winner === "both_bad" ? "both_bad" : "better"] ?? [];

function pendingLine() {
  const given = state.battle.vote.reasons ?? [];
  const reasons = reasonsOf(state.battle.vote.winner).map(({ reason, label }) => button(label, (event) => toggleReason(reason, event), "chip", {
    "aria-pressed": String(given.includes(reason)), "data-focus": `reason-${reason}`,
  }));
  return [
    el("span", { class: "vote-state", "data-seconds": "" }),
    el("button", { type: "button", class: "button small", onclick: takeBack, "data-focus": "undo", "aria-keyshortcuts": "Alt+U" }, t("Undo"), " ", el("kbd", { "aria-hidden": "true" }, keyName("U"))),
    button(t("Reveal now"), revealNow, "button quiet small", { "data-focus": "now" }),
    reasons.length ? el("div", { class: "chips reasons", role: "group", "aria-label": t("Why? (optional)") }, el("span", { class: "hint" }, t("Why?")), ...reasons) : null,
  ].filter(Boolean);
}

/** A voter who goes through the reasons by keyboard has the time to choose: each step keeps the vote from counting. */
function onFocus({ target }) {
  if (isPending() && !state.busy && secondsLeft() <= SHORT && target.matches("#vote-line :focus-visible")) hold();
}

async function takeBack() {
  if (await undo()) announce(t("Your vote is undone. Nothing was counted."));
}

function newBattle() {
  leave().then((left) => { if (left) focusComposer(); });
}

const newButton = (kind) => button(t("New battle"), newBattle, kind, { "data-focus": "new", id: "new-battle" });
const againButton = () => button(t("Same prompt, two other models"), again, "button", { "data-focus": "again" });

function overLine() {
  const withOthers = isBlind() && state.battle.turns.length > 0 && !(state.facts?.models_available < OTHERS);
  return [newButton(isFailed() ? "button" : "button primary"), withOthers ? againButton() : null].filter(Boolean);
}

function drawLine() {
  const line = find("#vote-line"), { battle } = state;
  for (const one of [line, find("[data-live='votes']")]) show(one, Boolean(battle)); // an empty landmark is a detour
  if (!battle) return;
  const hasVote = isPending() && !isCounted();
  const key = hasVote ? `pending ${JSON.stringify(battle.vote.reasons)}` : isOver() ? `over ${isFailed()} ${battle.id}`
    : isBlind() && mustSignIn() ? `sign-in ${battle.id}` : `open ${isBlind()} ${battle.status} ${battle.can_vote}`;
  fill(line, key, () => (hasVote ? pendingLine() : isOver() ? overLine() : openLine()));
  line.dataset.kind = hasVote ? "pending" : isOver() ? "over" : "open";
}

function signInLine() {
  const to = encodeURIComponent(`/?battle=${encodeURIComponent(state.battle.id)}`);
  return [
    el("span", { class: "vote-state" }, t("This arena counts votes of people who are signed in.")),
    el("a", { class: "button primary small", href: `/sign-in?to=${to}`, "data-focus": "sign-in" }, t("Sign in to vote")),
    newButton("button quiet small"),
  ];
}

function openLine() {
  if (isBlind() && mustSignIn()) return signInLine();
  const [text, more] = !isBlind() ? [t("This battle is for you only: it is not voted on."), ""]
    : [t("Which answer is better?"), isRunning() && !state.battle.can_vote ? t("You can vote as soon as both models have started to write.") : isRunning() ? "" : t("Vote, or continue the conversation.")];
  return [el("span", { class: "vote-state" }, text, " ", el("span", { class: "more" }, more)), newButton("button quiet small")];
}

function drawBar() {
  const { battle } = state;
  show(bar(), Boolean(battle) && isBlind() && battle.status !== "abandoned" && (battle.status !== "failed"));
  for (const one of all("[data-vote]", bar())) {
    const chosen = battle?.vote?.winner === one.dataset.vote;
    one.disabled = !canVote();
    one.setAttribute("aria-pressed", String(chosen));
    one.classList.toggle("chosen", chosen);
  }
}

function onVoteKey(event) {
  if (isComposing(event) || event.repeat || event.ctrlKey || event.metaKey || find("dialog[open]")) return;
  const inBar = bar().contains(event.target);
  const winner = event.altKey && !event.shiftKey ? KEYS[event.code] : inBar && !event.altKey && !event.shiftKey ? PLAIN[event.key.toLowerCase()] : null;
  if (event.altKey && !event.shiftKey && event.code === UNDO && isPending()) {
    event.preventDefault();
    takeBack();
  } else if (winner && canVote()) {
    event.preventDefault();
    choose(winner);
  } else if (inBar && ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) {
    event.preventDefault();
    move(event);
  }
}

/** Arrow keys in the vote bar move the focus; they never vote. */
function move({ key, target }) {
  const buttons = all("[data-vote]:not([disabled])", bar());
  const at = buttons.indexOf(target.closest("button"));
  const forward = (key === "ArrowRight") === (getComputedStyle(bar()).direction === "ltr") ? 1 : -1;
  const next = key === "Home" ? 0 : key === "End" ? buttons.length - 1 : (at + forward + buttons.length) % buttons.length;
  buttons[next]?.focus();
}

export function startVotes() {
  for (const one of all("[data-key]")) write(one, keyName(one.dataset.key));
  for (const one of all("[data-vote]")) one.addEventListener("click", () => choose(one.dataset.vote));
  document.addEventListener("focusin", onFocus);
  document.addEventListener("keydown", onVoteKey);
  subscribe(() => { drawLine(); drawBar(); tick(); });
}
