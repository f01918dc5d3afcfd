// Applies the frames of a stream to the two answers. New text appears over a quarter of a second, not in jumps.
import { find, reducedMotion, served } from "./dom.js";
import { keepingPlace } from "./panes.js";

const SMOOTH = 300; // milliseconds: the time between two frames of the server

const writers = new Map(); // by element: {text, shown, start}
let drawing = false;

/** The elements of one side of a turn: what is finished, and the block that grows. */
function partsOf(turn, side) {
  const text = find(`.turn[data-number="${turn}"] [data-side="${side}"] .side-text`);
  return text && { text, done: find(".done", text), tail: find(".tail", text) };
}

/** Applies a frame: for each side a list of operations. */
export function applyFrame(turn, frame) {
  for (const [side, operations] of Object.entries(frame)) {
    const parts = partsOf(turn, side);
    if (parts) keepingPlace(parts.text, () => operations.forEach((operation) => apply(parts, operation)));
  }
}

function apply({ text, done, tail }, [name, content]) {
  flush(tail);
  if (name === "text") {
    grow(text, tail, content);
  } else if (name === "tail") {
    served(tail, content);
  } else if (name === "set") {
    served(done, content);
    tail.replaceChildren();
  } else if (name === "done") {
    done.append(...served(document.createElement("div"), content).childNodes);
    tail.replaceChildren();
  }
}

/** The last text of an element, which further text continues. */
function lastText(element) {
  const code = element.lastElementChild?.matches("div") ? find("pre code", element.lastElementChild) : null; // an open fence
  if (code && !code.childNodes.length) return code.appendChild(document.createTextNode(""));
  const texts = document.createTreeWalker(code ?? element, NodeFilter.SHOW_TEXT);
  let last = null;
  while (texts.nextNode()) if (code || texts.currentNode.data.trim()) last = texts.currentNode;
  return last ?? element.appendChild(document.createTextNode(""));
}

function grow(text, tail, content) {
  const node = lastText(tail);
  if (document.hidden || reducedMotion()) {
    node.data += content;
    return;
  }
  writers.set(tail, { text, node, content, shown: 0, start: performance.now() });
  if (!drawing) requestAnimationFrame(drawFrame);
  drawing = true;
}

/** Shows everything that waits for its turn. */
function flush(tail) {
  const writer = writers.get(tail);
  if (writer) writer.node.data += writer.content.slice(writer.shown);
  writers.delete(tail);
}

const flushAll = () => [...writers.keys()].forEach(flush);

function drawFrame(now) {
  for (const [tail, writer] of writers) {
    const due = Math.ceil(writer.content.length * Math.min(1, (now - writer.start) / SMOOTH));
    if (due > writer.shown) {
      keepingPlace(writer.text, () => { writer.node.data += writer.content.slice(writer.shown, due); });
      writer.shown = due;
    }
    if (due >= writer.content.length) writers.delete(tail);
  }
  drawing = writers.size > 0;
  if (drawing) requestAnimationFrame(drawFrame);
}

document.addEventListener("visibilitychange", () => { if (document.hidden) flushAll(); });
