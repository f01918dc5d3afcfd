// The composer: one field for the first prompt, the next one and the changed one.
import { send, stop } from "./actions.js";
import { button, el, fill, find, isTouch, show, write } from "./dom.js";
import { attachedImages, clearImages, isUploading } from "./images.js";
import { chosenMode } from "./modes.js";
import { announce, tell } from "./tell.js";
import { isFailed, isOver, isPending, isRunning, state, subscribe } from "./state.js";

const DRAFT = "arena-draft"; // in sessionStorage: what is typed survives a reload
const LOWEST_ROOM = 0.35; // of the window: the field grows to this share

const field = () => find("#prompt");
const isSingle = () => state.battle?.mode === "single";

export function setPrompt(text, focus = true) {
  field().value = text;
  typed();
  if (focus) field().focus();
}

/** Where the next prompt is typed. On a phone nothing asks for the keyboard but a tap on the field. */
export function focusComposer() {
  if (isTouch()) field().blur();
  else field().focus({ preventScroll: true });
}

/** Puts the last prompt back into the composer. */
export function editLast() {
  state.editing = true;
  setPrompt(state.battle.turns.at(-1).prompt);
  drawComposer();
}

function stopEditing() {
  state.editing = false;
  setPrompt("");
  drawComposer();
}

function typed() {
  const box = field();
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, innerHeight * LOWEST_ROOM)}px`;
  try { sessionStorage.setItem(DRAFT, box.value); } catch { /* private mode */ }
}

/** Whether the key event belongs to an input method that composes a character. */
export const isComposing = (event) => event.isComposing || event.keyCode === 229;

/** Enter sends, and makes a new line where fingers type, as in messengers: their keyboards have no Shift+Enter. */
const isLineFeed = (event) => event.shiftKey || event.altKey || (isTouch() && !event.ctrlKey && !event.metaKey);

function onComposerKey(event) {
  if (isComposing(event) || event.key !== "Enter" || isLineFeed(event)) return;
  event.preventDefault();
  if (!event.repeat) submit();
}

/** Why nothing can be sent now, as a text; null if it can. */
function obstacle() {
  if (state.offline) return t("The arena cannot be reached. Your prompt is kept.");
  if (isRunning()) return isSingle() ? t("The model is still writing. Wait until it finishes, or stop it.") : t("Both models are still writing. Wait until they finish, or stop them.");
  if (isUploading()) return t("An image is still being uploaded. Your prompt is kept: send it again then.");
  if (isPending()) return field().value ? t("Your vote counts in a moment. Your prompt is kept: send it again then.") : t("Your vote counts in a moment.");
  if (isOver() && state.facts?.can_begin === false) return state.facts.why_not ?? t("No battle can start at the moment.");
  if (!isOver() && !state.editing && !state.battle.can_continue) return t("This battle takes no further prompt. Vote, or start a new battle.");
  return null;
}

/** Tells why nothing is sent; what the banner shows already is only spoken again. */
function refuse(reason) {
  find("#banner").textContent === reason ? announce(reason) : tell(reason);
}

async function submit() {
  const prompt = field().value;
  const reason = obstacle();
  if (reason || (!prompt.trim() && !attachedImages().length)) {
    refuse(reason ?? t("Type a prompt first."));
    return;
  }
  if (await send(prompt, attachedImages(), chosenMode())) {
    if (field().value === prompt) setPrompt("", false);
    clearImages();
  }
  focusComposer();
}

function placeholder() {
  if (state.editing) return t("Change your prompt");
  if (isRunning()) return isSingle() ? t("The model is writing") : t("Both models are writing");
  if (!isOver()) return isSingle() ? t("Ask the model again") : t("Ask both again");
  if (state.battle) return t("Ask in a new battle");
  return chosenMode().mode === "single" ? t("Ask the model") : t("Ask both models");
}

function drawComposer() {
  const box = field(), running = isRunning();
  if (box.placeholder !== placeholder()) box.placeholder = placeholder();
  show(find("#stop"), running);
  show(find("#send"), !running);
  const label = state.editing ? t("Send again") : t("Send");
  write(find("#send"), label);
  find("#send").disabled = Boolean(state.busy) || state.offline || obstacle() !== null;
  find("#stop").disabled = state.busy === "stop" || state.offline || state.battle?.can_stop === false;
  show(find("#editing"), state.editing);
  describe(box);
  fill(find("#editing"), String(state.editing), () => [
    el("span", {}, isSingle() ? t("You are changing your last prompt. The model answers it again.") : t("You are changing your last prompt. Both models answer it again.")), button(t("Cancel"), stopEditing, "button quiet small")]);
  find("#composer").classList.toggle("compact", Boolean(state.battle));
}

/** What a screen reader says with the field: that the last prompt is being changed, and why a prompt was refused. */
function describe(box) {
  const refused = ["begin", "turn", "edit"].includes(state.problem?.action) && [413, 422].includes(state.problem.error.status);
  const parts = [state.editing && "editing", refused && "notice"].filter(Boolean).join(" ");
  parts ? box.setAttribute("aria-describedby", parts) : box.removeAttribute("aria-describedby");
  refused ? box.setAttribute("aria-invalid", "true") : box.removeAttribute("aria-invalid");
}

/** A failed battle gives its prompt back; when it runs again, the prompt is no longer there to be sent. */
function keepPrompt() {
  const isAgain = isRunning() && keepPrompt.done === state.battle.id;
  if (isAgain && field().value === state.battle.turns.at(-1)?.prompt) setPrompt("", false);
  if (isAgain) keepPrompt.done = null;
  if (!isFailed() || field().value || keepPrompt.done === state.battle.id) return;
  keepPrompt.done = state.battle.id;
  setPrompt(state.battle.turns.at(-1)?.prompt ?? "", false);
}

export function startComposer() {
  const box = field();
  try { if (!box.value) box.value = sessionStorage.getItem(DRAFT) ?? ""; } catch { /* private mode */ }
  typed();
  box.enterKeyHint = isTouch() ? "enter" : "send";
  box.addEventListener("input", () => { typed(); drawComposer(); });
  box.addEventListener("keydown", onComposerKey);
  find("#composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  find("#stop").addEventListener("click", () => { stop(); focusComposer(); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || isComposing(event) || event.defaultPrevented || find("dialog[open]")) return;
    if (isRunning()) stop();
    else if (state.editing) stopEditing();
  });
  subscribe(keepPrompt);
  subscribe(drawComposer);
}
