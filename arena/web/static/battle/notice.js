// What the page says: states for a screen reader, seconds while waiting, failures with a way out.
import { regenerate, reroll, retry } from "./actions.js";
import { button, el, fill, find, show, write } from "./dom.js";
import { hasText, isBlind, isCounted, isFailed, isHeld, isPending, isRunning, sides, state, subscribe } from "./state.js";
import { heldText, keyName, wordOf } from "./votes.js";

const SLOW = 2_000; // milliseconds of waiting before seconds are shown

let waitClock = null;

const FAILURES = () => ({
  busy: t("too many people use it at the moment"),
  refused: t("it refused to answer this prompt"),
  too_long: t("the prompt is too long for it"),
  empty: t("it returned an empty answer"),
  timeout: t("it did not answer in time"),
  broken: t("it stopped with an error"),
});

/** One sentence for each side that failed. */
function failureTexts() {
  const failed = Object.entries(state.battle.failure?.sides ?? {});
  if (!failed.length) return [t("A model failed.")];
  return failed.map(([side, kind]) => t("Model {letter} failed: {reason}.", { letter: side.toUpperCase(), reason: FAILURES()[kind] ?? FAILURES().broken }));
}

function failure() {
  const failed = Object.keys(state.battle.failure?.sides ?? {});
  const first = state.battle.turns.length === 1 && isBlind();
  const kind = failed.length === 1 ? "button primary" : "button"; // one way out is the first one
  const rerolls = first ? failed.map((side) => button(t("Another model for {letter}", { letter: side.toUpperCase() }), () => reroll(side), kind)) : [];
  const retrying = rerolls.length === 1 ? "button" : "button primary";
  return [el("div", { class: "notice warning" },
    el("p", {}, `${failureTexts().join(" ")} ${t("This battle does not count. Your prompt is kept.")}`),
    el("div", { class: "buttons" }, ...rerolls, button(t("Try again with the same models"), retry, retrying)))];
}

const interruptedText = () => t("These answers are not whole: the models were stopped before both had begun to write, this page was closed, or the arena restarted.");

function interrupted() {
  return [el("div", { class: "notice warning" }, el("p", {}, interruptedText()),
    el("div", { class: "buttons" }, button(t("Run both again"), () => regenerate(), "button primary")))];
}

function problem() {
  const { action, error, again } = state.problem;
  const notCounted = action === "vote" ? [t("Your vote was NOT counted.")] : [];
  const kept = action === "begin" || action === "turn" || action === "edit" ? [t("Your prompt is kept.")] : [];
  return [el("div", { class: "notice warning" },
    el("p", {}, [...notCounted, error.message, ...kept].join(" ")),
    el("div", { class: "buttons" }, button(t("Try again"), again), button(t("Close"), () => { state.problem = null; drawNotice(); }, "button quiet")))];
}

function waiting(seconds) {
  return [el("div", { class: "waiting" }, el("span", { class: "spinner", "aria-hidden": "true" }),
    el("span", { "data-waited": "" }, t("Waiting for the models: {seconds} s", { seconds })))];
}

const withheldText = () => t("An answer does not follow the rules of this arena, so both are hidden and the battle takes no vote. Start a new battle.");

const withheld = () => [el("div", { class: "notice warning" }, el("p", {}, withheldText()))];

const warned = () => [el("div", { class: "notice info" }, el("p", {}, t("An automatic check found that a text of this battle may be disturbing.")))];

const checkingText = () => t("Checking that you are a person: {percent} %. Your prompt is sent then.", { percent: Math.round(100 * state.checking) });

function checking() {
  return [el("div", { class: "waiting" }, el("span", { class: "spinner", "aria-hidden": "true" }), el("span", { "data-checked": "" }, checkingText()))];
}

function content() {
  const { battle } = state, waited = Date.now() - state.since;
  if (state.checking !== null) return ["checking", checking];
  if (state.problem) return [`problem ${state.problem.action} ${state.problem.error.message}`, problem];
  if (!battle) return ["", () => []];
  if (battle.withheld) return ["withheld", withheld];
  if (isFailed()) return [`failed ${JSON.stringify(battle.failure)} ${battle.attempt}`, failure];
  if (battle.interrupted) return ["interrupted", interrupted];
  if (isRunning() && !hasText() && waited > SLOW) return ["waiting", () => waiting(Math.round(waited / 1000))];
  if (battle.warned) return ["warned", warned];
  return ["", () => []];
}

const hasKeys = () => matchMedia("(any-pointer: fine)").matches;

const pendingSentence = (vote) => (hasKeys()
  ? t("Vote saved: {vote}. It counts in a few seconds; press {key} to undo it.", { vote, key: keyName("U") })
  : t("Vote saved: {vote}. It counts in a few seconds; you can undo it.", { vote }));

function runningSentence() {
  if (state.battle.mode === "single") return t("The model is answering.");
  return state.battle.can_vote ? t("Both models are writing. You can vote.") : t("Both models are answering.");
}

function openSentence() {
  const { can_vote: canVote, turns, interrupted: isInterrupted } = state.battle;
  if (isInterrupted) return interruptedText();
  if (sides().some((side) => turns.at(-1)?.completions?.[side]?.status === "stopped")) {
    return canVote ? t("Stopped. You can vote, or continue the conversation.") : t("Stopped.");
  }
  return canVote ? t("Both answers are complete. You can vote, or continue the conversation.") : t("The answer is complete.");
}

/** The state in one sentence, for the live region. */
function sentence() {
  const { battle } = state;
  if (state.problem) return (state.problem.action === "vote" ? `${t("Your vote was NOT counted.")} ` : "") + state.problem.error.message;
  if (state.checking !== null) return t("Checking that you are a person. Your prompt is sent then.");
  if (!battle) return state.facts?.can_begin === false ? state.facts.why_not ?? "" : "";
  if (battle.withheld) return withheldText();
  if (isFailed()) return failureTexts().join(" ");
  if (isCounted()) {
    const names = sides().map((side) => `${side.toUpperCase()}: ${battle.models?.[side] ?? ""}`).join(", ");
    const vote = wordOf(battle.vote?.winner) ?? "";
    return battle.vote?.counts ? t("Your vote counts: {vote}. {names}.", { vote, names }) : `${t("Your vote: {vote}.", { vote })} ${names}.${isHeld() ? ` ${heldText()}` : ""}`;
  }
  if (isPending()) return pendingSentence(wordOf(battle.vote.winner));
  if (isRunning()) return runningSentence();
  if (battle.status === "open") return openSentence();
  return t("This battle was closed without a vote.");
}

function drawNotice() {
  const [key, children] = content();
  fill(find("#notice"), key, children);
  const counter = find("[data-waited]");
  if (counter) write(counter, t("Waiting for the models: {seconds} s", { seconds: Math.round((Date.now() - state.since) / 1000) }));
  if (state.checking !== null) write(find("[data-checked]"), checkingText());
  const obstacle = !state.battle && state.facts?.can_begin === false ? state.facts.why_not : null;
  const banner = find("#banner");
  const text = state.offline ? t("The arena cannot be reached. Votes and prompts are not sent now; this page continues when the arena is back.")
    : state.paused ? t("The arena cannot save anything at the moment. This page continues when it can.") : obstacle ?? "";
  write(banner, text);
  banner.className = obstacle && !state.offline && !state.paused ? "notice info" : "notice warning";
  show(banner, Boolean(text));
  write(find("#status"), sentence());
  clearTimeout(waitClock);
  if (isRunning() && !hasText()) waitClock = setTimeout(drawNotice, 500);
}

export const startNotice = () => subscribe(drawNotice);
