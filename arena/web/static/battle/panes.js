// How the two answers are seen: side by side or one, high or as high as the window, scrolled together or apart.
import { all, find, isWide } from "./dom.js";
import { state, subscribe } from "./state.js";

const NEAR_END = 48; // pixels from the end: the reader follows the text
const READING = 600; // milliseconds after a touch of the reader in which nothing scrolls by itself

let touched = -READING;
let chosen = null; // "a", "b" or "both": the reader's choice
let high = false, together = false;

const placed = new WeakMap(); // where an answer was last put beside the other one

const isPageScrolling = () => getComputedStyle(find("#main")).overflowY === "visible"; // in a low window
const scroller = () => (isPageScrolling() ? document.scrollingElement : find("#main"));
const narrowDefault = () => (isWide() ? "both" : "a");
export const shown = () => (state.battle?.mode === "single" ? "a" : chosen ?? narrowDefault());

/** The element that scrolls an answer: its own box, or the page. */
const scrollerOf = (text) => (text.scrollHeight > text.clientHeight + 1 || getComputedStyle(text).overflowY === "auto" ? text : scroller());

/** Runs `change`; a reader at the end of the text stays there, every other reader stays where they are. */
export function keepingPlace(text, change) {
  const box = scrollerOf(text);
  const isCurrent = box !== scroller() || text.closest(".turn") === find("#turns").lastElementChild;
  const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
  change();
  if (atEnd && isCurrent && performance.now() - touched > READING) box.scrollTop = box.scrollHeight;
}

/** Shows the beginning of the last turn. */
export function showLastTurn() {
  const turn = find("#turns").lastElementChild;
  const box = scroller(), isPage = box === document.scrollingElement;
  const covered = isPage ? 0 : box.getBoundingClientRect().top + find("#view-bar").getBoundingClientRect().height; // it sticks to the top
  if (turn) box.scrollTop += turn.getBoundingClientRect().top - covered;
}

export function setShown(side) {
  chosen = side === shown() && side !== "both" ? "both" : side;
  if (!isWide() && side !== "both") chosen = side;
  drawPanes();
}

export function drawPanes() {
  const main = find("#main");
  main.dataset.shown = shown();
  main.dataset.high = String(high);
  const running = state.battle !== null;
  const bar = find("#view-bar");
  bar.hidden = !running || state.battle.mode === "single";
  for (const one of all("[data-show]", bar)) one.setAttribute("aria-pressed", String(one.dataset.show === shown()));
  find("#expand").setAttribute("aria-pressed", String(high));
  find("#synced").setAttribute("aria-pressed", String(together));
  find("#synced").hidden = high || shown() !== "both";
}

/** Scrolls the other answer by the same share of its length. An answer that is where it was put is not the reader's doing. */
function scrollOther(event) {
  const text = event.target;
  if (!together || !text.classList?.contains("side-text") || placed.get(text) === text.scrollTop) return;
  placed.delete(text);
  const other = all(".side-text", text.closest(".sides")).find((one) => one !== text);
  if (!other) return;
  const share = text.scrollTop / Math.max(1, text.scrollHeight - text.clientHeight);
  other.scrollTop = share * (other.scrollHeight - other.clientHeight);
  placed.set(other, other.scrollTop);
}

export function startPanes() {
  for (const name of ["wheel", "touchstart", "touchmove", "keydown"]) {
    find("#main").addEventListener(name, () => { touched = performance.now(); }, { passive: true });
  }
  find("#main").addEventListener("scroll", scrollOther, true);
  for (const one of all("[data-show]")) one.addEventListener("click", () => setShown(one.dataset.show));
  find("#expand").addEventListener("click", () => { high = !high; drawPanes(); });
  find("#synced").addEventListener("click", () => { together = !together; drawPanes(); });
  matchMedia("(min-width: 800px)").addEventListener("change", drawPanes);
  subscribe(drawPanes);
}
