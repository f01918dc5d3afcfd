// The models chosen in the table, kept while it is searched and sorted, and the tray that opens their comparison.
const MOST = 5, LEAST = 2;
const KEPT = "compare"; // of the session's storage
const tray = document.getElementById("compare");
const said = document.getElementById("compare-said"); // for a screen reader: the tray appears below the table
const chosen = new Set(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));

const boxes = () => document.querySelectorAll('#board input[form="compare"]');

// Tick the boxes of the table as it is now, and say in the tray what is chosen.
export function showChosen() {
  if (!tray) return;
  for (const box of boxes()) {
    box.checked = chosen.has(box.value);
    box.disabled = !box.checked && chosen.size >= MOST;
  }
  tray.hidden = chosen.size === 0;
  tray.querySelector("button[type=submit]").disabled = chosen.size < LEAST;
  tray.querySelector(".hint").hidden = chosen.size >= LEAST;
  tray.querySelector(".chips").replaceChildren(...[...chosen].map(chip));
}

function chip(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.value = name;
  button.setAttribute("aria-label", tray.dataset.remove.replace("{model}", name));
  button.textContent = `${name} ×`;
  return button;
}

function set(name, wanted) {
  if (wanted) chosen.add(name); else chosen.delete(name);
  sessionStorage.setItem(KEPT, JSON.stringify([...chosen]));
  showChosen();
  said.textContent = said.dataset.text.replace("{count}", chosen.size);
}

// The chip that had the focus is gone: the next one has it, or the box of the model in the table.
function remove(name) {
  set(name, false);
  const box = [...boxes()].find((one) => one.value === name);
  (tray.querySelector(".chip") ?? box ?? document.getElementById("board").querySelector("a"))?.focus();
}

if (tray) {
  document.addEventListener("change", ({ target }) => {
    if (target.matches('input[form="compare"]')) set(target.value, target.checked);
  });
  tray.addEventListener("click", ({ target }) => {
    if (target.matches(".chip")) remove(target.value);
  });
  tray.addEventListener("submit", (event) => {
    event.preventDefault();
    const words = new URLSearchParams(new FormData(tray));
    words.delete("models"); // those that are ticked here; a search may hide others
    for (const name of chosen) words.append("models", name);
    location.assign(`${tray.action}?${words}`);
  });
  showChosen();
}
