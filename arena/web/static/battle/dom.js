// Elements and the few ways in which text gets into them.

export const find = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element: `el("button", {class: "button", onclick}, "text", child)`. Text is never HTML. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button of ours. */
export const button = (text, onclick, classes = "button", more = {}) =>
  el("button", { type: "button", class: classes, onclick, ...more }, text);

/** HTML that the server has rendered and sanitised: the only HTML that becomes elements. */
export function served(node, html) {
  node.innerHTML = html ?? "";
  return node;
}

/** Changes `hidden`, and only when it differs: writing it again would restart animations. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** Writes text only when it differs, so that a live region does not repeat itself. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Replaces the children when `key` differs from the last one: what has the focus stays where it is. */
export function fill(node, key, children) {
  if (node.dataset.key === key) return;
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  node.dataset.key = key;
  node.replaceChildren(...children());
  node.dataset.changed = performance.now();
  if (focused) find(`[data-focus="${focused}"]`, node)?.focus();
}

export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
/** Whether fingers are the usual pointer: a field that has the focus then covers half of the window with its keyboard. */
export const isTouch = () => matchMedia("(pointer: coarse)").matches;
export const isWide = () => matchMedia("(min-width: 800px)").matches;
