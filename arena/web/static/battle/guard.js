// Nothing that appears under the pointer acts on the same click. A click counts only on a button that was there, in
// the same place, when the pointer went down and for a moment before.

const SETTLED = 500; // milliseconds that a part must stay as it is before a pointer can press it

let pressed = null;

function guardedPart(target) {
  return target.closest?.("[data-live='votes'], [data-live='reveal'], [data-live='notice']");
}

/** When the part last changed what is in it. */
const changedAt = (part) => Math.max(0, ...[part, ...part.querySelectorAll("[data-changed]")].map((one) => Number(one.dataset.changed ?? 0)));

export function startGuard() {
  document.addEventListener("pointerdown", (event) => {
    const part = guardedPart(event.target);
    pressed = part ? { target: event.target.closest("button, a, input, label"), settled: performance.now() - changedAt(part) > SETTLED } : null;
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest?.(".rendered label")) event.preventDefault(); // a text presses nothing elsewhere
    const part = guardedPart(event.target);
    if (!part || event.detail === 0) return; // of the keyboard or of assistive technology
    const target = event.target.closest("button, a, input, label");
    const isSecond = event.detail > 1;
    if (target && (isSecond || !pressed?.settled || pressed.target !== target)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
}
