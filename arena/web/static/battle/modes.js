// Which models answer: two anonymous ones, two chosen ones, or one.
import { el, fill, find } from "./dom.js";
import { isOver, state, subscribe } from "./state.js";

const choice = { mode: "blind", models: ["", ""] };

/** The members of the request that begins a battle. */
export function chosenMode() {
  if (choice.mode === "blind") return {};
  const count = choice.mode === "single" ? 1 : 2;
  return { mode: choice.mode, models: choice.models.slice(0, count) };
}

const modelName = (model) => (typeof model === "string" ? model : model.name);
export const readsImages = () => {
  const models = state.facts?.models ?? [];
  const able = (name) => models.some((model) => modelName(model) === name && model.images);
  if (choice.mode === "blind") return models.filter((model) => model.images).length >= 2 || Boolean(state.facts?.images);
  return choice.models.slice(0, choice.mode === "single" ? 1 : 2).every(able);
};

function modelSelect(position) {
  const names = state.facts.models.map(modelName);
  choice.models[position] ||= names[position] ?? names[0];
  const label = choice.mode === "single" ? t("Model") : t("Model {letter}", { letter: "AB"[position] });
  return el("select", {
    "aria-label": label, "data-focus": `model-${position}`,
    onchange: (event) => { choice.models[position] = event.target.value; drawModes(); },
  }, ...names.map((name) => el("option", { value: name, selected: name === choice.models[position] }, name)));
}

function modeSelect() {
  const modes = [["blind", t("Blind battle")], ["chosen", t("Two chosen models")], ["single", t("One model")]];
  return el("select", {
    "aria-label": t("Mode"), "data-focus": "mode",
    onchange: (event) => { choice.mode = event.target.value; drawModes(); },
  }, ...modes.map(([value, name]) => el("option", { value, selected: value === choice.mode }, name)));
}

function drawModes() {
  const root = find("#modes"), names = state.facts?.models ?? [];
  root.hidden = !names.length || !isOver();
  if (root.hidden) return;
  fill(root, JSON.stringify([choice, names]), () => [
    modeSelect(),
    ...(choice.mode === "blind" ? [] : [modelSelect(0)]),
    ...(choice.mode === "chosen" ? [modelSelect(1)] : []),
    ...(choice.mode === "blind" ? [] : [el("span", { class: "hint" }, t("Not counted in the leaderboard."))]),
  ]);
}

export const startModes = () => subscribe(drawModes);
