// Nothing that appears under the pointer acts on the same click. A click counts only on a button that was there, in
// the same place, when the pointer went down and for a moment before.

const PRESSED = "button, a, input, label";
const SETTLED = 500; // milliseconds that a part must stay as it is before a pointer can press it

let pressed = null;

function guardedPart(target) {
  return target.closest?.("[data-live='votes'], [data-live='reveal'], [data-live='notice']");
}

/** What a press acts on: a label acts on its control, and the browser then clicks that control as well. */
function actedOn(target) {
  const element = target.closest(PRESSED);
  return element?.control ?? element;
}

/** When the part last changed what is in it. */
const changedAt = (part) => Math.max(0, ...[part, ...part.querySelectorAll("[data-changed]")].map((one) => Number(one.dataset.changed ?? 0)));

export function startGuard() {
  document.addEventListener("pointerdown", (event) => {
    const part = guardedPart(event.target);
    pressed = part ? { target: actedOn(event.target), settled: performance.now() - changedAt(part) > SETTLED } : null;
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".rendered label")) event.preventDefault(); // a text presses nothing elsewhere
    const part = guardedPart(event.target);
    if (!part || event.detail === 0) return; // of the keyboard or of assistive technology
    const target = actedOn(event.target);
    const isSecond = event.detail > 1;
    if (target && (isSecond || !pressed?.settled || pressed.target !== target)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
}
