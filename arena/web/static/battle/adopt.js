// Gradio's shell loads after the page works. Its empty components then take in the live parts, with what has the focus.
import { all, el, find } from "./dom.js";

const CLICK = 300; // milliseconds in which the click of a finger follows its lift

let composing = false, pressing = false;
let lifted = null;

const kept = []; // slots of parts that are in use

/** Whether a move would take the voter's press, or the word that is composed, from the part. */
const isInUse = (part) => pressing || (composing && part.contains(document.activeElement));

/** Moves a live part into Gradio's component; scroll positions and the focus stay. */
function adopt(slot) {
  const part = find(`[data-live="${slot.dataset.part}"]`);
  if (!part || slot.contains(part)) return;
  if (isInUse(part)) {
    kept.push(slot);
    return;
  }
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  const scrolled = [part, ...all(".side-text", part)].map((one) => [one, one.scrollTop]);
  if (slot.moveBefore && slot.isConnected) slot.moveBefore(part, null);
  else slot.append(part);
  for (const [one, top] of scrolled) if (one.scrollTop !== top) one.scrollTop = top;
  if (focused && document.activeElement !== focused) {
    focused.focus({ preventScroll: true });
    if (selection) focused.setSelectionRange(...selection);
  }
  const own = find("#arena");
  if (own && !own.childElementCount) { // Gradio's <main> is the only one now
    own.remove();
    performance.mark("arena-adopted");
  }
}

const adoptKept = () => kept.splice(0).forEach(adopt);

function press() {
  clearTimeout(lifted);
  pressing = true;
}

/** A button acts when it is left, and only where it was pressed. */
function lift() {
  clearTimeout(lifted);
  lifted = setTimeout(() => { pressing = false; adoptKept(); }, CLICK);
}

/** Notes what the voter's fingers do. */
function watchUse() {
  document.addEventListener("compositionstart", () => { composing = true; });
  document.addEventListener("compositionend", () => { composing = false; setTimeout(adoptKept); });
  document.addEventListener("pointerdown", press, true);
  document.addEventListener("keydown", ({ key, target }) => { if (key === " " && target.matches?.("button, input, summary")) press(); }, true);
  for (const name of ["pointerup", "pointercancel", "keyup"]) document.addEventListener(name, lift, true);
  addEventListener("blur", lift);
}

/** Adds the scripts and styles of Gradio's index page, which the server has put aside. */
export function loadShell() {
  for (const node of find("#gradio-shell")?.content.children ?? []) {
    document.head.append(el(node.tagName, Object.fromEntries([...node.attributes].map(({ name, value }) => [name, value]))));
  }
}

/** The document keeps the language of its texts: Gradio sets the browser's. */
function keepLanguage() {
  const root = document.documentElement, { lang, dir } = root;
  new MutationObserver(() => {
    if (root.lang !== lang) root.lang = lang;
    if (root.dir !== dir) root.dir = dir;
  }).observe(root, { attributeFilter: ["lang", "dir"] });
}

export function startAdoption() {
  keepLanguage();
  watchUse();
  document.addEventListener("arena:part", (event) => {
    const slot = find("[data-part]", event.detail);
    if (slot) adopt(slot);
  });
}
