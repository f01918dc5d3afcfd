// The page before a battle: prompts to choose from, by category.
import { button, el, fill, find, isTouch } from "./dom.js";
import { setPrompt } from "./composer.js";
import { state, subscribe } from "./state.js";

let category = null;

const groups = () => Object.entries(state.facts?.prompts ?? {}).map(([name, prompts]) => ({ name, prompts }));

const TOPICS = () => ({
  writing: t("Writing"), coding: t("Coding"), maths: t("Mathematics"), explaining: t("Explaining"), planning: t("Planning"),
  languages: t("Languages"),
});

function drawSuggestions() {
  const root = find("#suggestions"), list = groups();
  category ??= list[0]?.name ?? null;
  fill(root, JSON.stringify([category, list]), () => (list.length ? [
    el("div", { class: "chips", role: "group", "aria-label": t("Topics") }, ...list.map((group) => button(
      TOPICS()[group.name] ?? group.name, () => { category = group.name; drawSuggestions(); }, "chip",
      { "aria-pressed": String(group.name === category), "data-focus": `topic-${group.name}` },
    ))),
    el("div", { class: "suggestions" }, ...(list.find((group) => group.name === category)?.prompts ?? []).slice(0, 4).map((prompt) =>
      button(prompt, () => setPrompt(prompt, !isTouch()), "suggestion", { dir: "auto" }))),
  ] : []));
}

export const startSuggestions = () => subscribe(drawSuggestions);
