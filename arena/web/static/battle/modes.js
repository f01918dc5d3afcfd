// Which models answer: two anonymous ones, two chosen ones, or one.
import { el, fill, find } from "./dom.js";
import { api } from "./api.js";
import { changed, isOver, state, subscribe } from "./state.js";
import { tell } from "./tell.js";

const choice = { mode: "blind", models: ["", ""] };
let names = null; // of the models: asked for only when the reader chooses models, so that a blind page has none

async function loadModels() {
  if (names) return;
  try {
    names = await api.models();
    completeChoice();
  } catch (error) {
    choice.mode = "blind";
    tell(error.message);
  }
  changed();
}

/** The members of the request that begins a battle. */
export function chosenMode() {
  if (choice.mode === "blind") return {};
  const count = choice.mode === "single" ? 1 : 2;
  return { mode: choice.mode, models: choice.models.slice(0, count) };
}

/** Whether the models of the next prompt read images. */
export const readsImages = () => {
  const able = (name) => names?.some(({ model, images }) => model === name && images);
  if (!state.facts?.limits?.images || state.editing) return false;
  if (!isOver()) return Boolean(state.battle.can_add_images);
  if (choice.mode === "blind") return Boolean(state.facts.limits.blind_images);
  return choice.models.slice(0, choice.mode === "single" ? 1 : 2).every(able);
};

/** Two chosen models are always two: what was chosen last stays, the other one gives way. */
function completeChoice(kept = 0) {
  const options = names.map(({ model }) => model);
  choice.models[kept] ||= options[0];
  const other = 1 - kept;
  if (!choice.models[other] || choice.models[other] === choice.models[kept]) {
    choice.models[other] = options.find((name) => name !== choice.models[kept]) ?? options[0];
  }
}

function modelSelect(position) {
  const options = names.map(({ model }) => model);
  const label = choice.mode === "single" ? t("Model") : t("Model {letter}", { letter: "AB"[position] });
  return el("select", {
    "aria-label": label, "data-focus": `model-${position}`,
    onchange: (event) => { choice.models[position] = event.target.value; completeChoice(position); drawModes(); changed(); },
  }, ...options.map((name) => el("option", { value: name, selected: name === choice.models[position] }, name)));
}

function modeSelect() {
  const modes = [["blind", t("Blind battle")], ["chosen", t("Two chosen models")], ["single", t("One model")]];
  return el("select", {
    "aria-label": t("Mode"), "data-focus": "mode",
    onchange: (event) => { choice.mode = event.target.value; drawModes(); changed(); if (choice.mode !== "blind") loadModels(); },
  }, ...modes.map(([value, name]) => el("option", { value, selected: value === choice.mode }, name)));
}

function drawModes() {
  const root = find("#modes");
  root.hidden = Boolean(state.battle) && !isOver();
  if (root.hidden) return;
  fill(root, JSON.stringify([choice, names]), () => [
    modeSelect(),
    ...(choice.mode === "blind" || !names ? [] : [modelSelect(0)]),
    ...(choice.mode === "chosen" && names ? [modelSelect(1)] : []),
    ...(choice.mode === "blind" ? [] : [el("span", { class: "hint" }, t("Not counted in the leaderboard."))]),
  ]);
}

export const startModes = () => subscribe(drawModes);
