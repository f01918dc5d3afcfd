// What the page tells the voter: announced, and drawn until it has been seen.
import { focusComposer } from "./composer.js";
import { all, button, el, find } from "./dom.js";

const READ = 2_000; // milliseconds in sight, after which the voter's next key or click takes a message away
const SPOKEN = 10_000; // milliseconds that a text stays in the live region

let told = []; // {text, since}: in sight since then, or null while nobody can see it

/** Tells the voter something, spoken where it is drawn. It stays until they close it, or have had it in sight and go on. */
export function tell(text) {
  noticeOf(text)?.remove(); // said again, it is spoken again
  told = [...told.filter((one) => one.text !== text), { text, since: null }];
  drawTold();
}

/** Says something to a screen reader that is seen elsewhere. Nothing else writes into this live region. */
export function announce(text) {
  const line = el("p", {}, text);
  find("#said").append(line);
  setTimeout(() => line.remove(), SPOKEN);
}

function close(text) {
  told = told.filter((one) => one.text !== text);
  drawTold();
  if (!all("#told button").length) focusComposer();
}

function drawTold() {
  const isSeen = !document.hidden;
  for (const one of told) one.since = isSeen ? one.since ?? performance.now() : null;
  const root = find("#told"), texts = told.map(({ text }) => text);
  for (const one of all(".notice", root)) if (!texts.includes(one.dataset.text)) one.remove();
  const added = texts.filter((text) => !noticeOf(text)).map((text) => el("div", { class: "notice info", "data-text": text },
    el("p", {}, text), button(t("Close"), () => close(text), "button quiet small")));
  root.append(...added);
  if (added.length) root.dataset.changed = performance.now(); // of guard.js
}

const noticeOf = (text) => all("#told .notice").find((one) => one.dataset.text === text);

function goOn() {
  const left = told.filter(({ since }) => since === null || performance.now() - since < READ);
  if (left.length === told.length) return;
  told = left;
  drawTold();
}

export function startTelling() {
  document.addEventListener("click", goOn); // not when the pointer goes down: what is pressed must not move
  document.addEventListener("keydown", goOn);
  document.addEventListener("visibilitychange", drawTold);
}
