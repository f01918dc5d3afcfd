// The keys of /review, as on the battle page: with Alt everywhere, plain ones while no field has the focus.
// Every button is sent once; without this script the buttons do the same.
const buttons = [...document.querySelectorAll("[data-key]")];
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
let sent = false;

for (const kbd of document.querySelectorAll("[data-key] kbd")) if (isMac) kbd.textContent = kbd.textContent.replace("Alt+", "⌥");

const isField = (target) => target.closest?.("input, select, textarea, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const pressed = event.altKey ? buttons.find((button) => event.code === `Key${button.dataset.key}`)
    : isField(event.target) ? null : buttons.find((button) => button.dataset.plain === event.key.toLowerCase());
  if (!pressed) return;
  event.preventDefault();
  pressed.click();
});

document.addEventListener("submit", (event) => {
  if (sent) event.preventDefault(); // a second press while the next battle loads must not decide it
  sent = true;
});
addEventListener("pageshow", () => { sent = false; });
