// The page before a battle: prompts to choose from, by category.
import { button, el, fill, find } from "./dom.js";
import { setPrompt } from "./composer.js";
import { state, subscribe } from "./state.js";

let category = null;

/** [{category, prompts}] in any of the forms in which the API may give them. */
function groups() {
  const given = state.facts?.prompts ?? state.facts?.suggested_prompts ?? {};
  const list = Array.isArray(given) ? given : Object.entries(given).map(([name, prompts]) => ({ category: name, prompts }));
  return list.map((group) => ({ category: group.category ?? group.name, prompts: group.prompts.map((one) => one.prompt ?? one.text ?? one) }));
}

function drawSuggestions() {
  const root = find("#suggestions"), list = groups();
  category ??= list[0]?.category ?? null;
  fill(root, JSON.stringify([category, list]), () => (list.length ? [
    el("div", { class: "chips", role: "group", "aria-label": t("Topics") }, ...list.map((group) => button(
      t(group.category), () => { category = group.category; drawSuggestions(); }, "chip",
      { "aria-pressed": String(group.category === category), "data-focus": `topic-${group.category}` },
    ))),
    el("div", { class: "suggestions" }, ...(list.find((group) => group.category === category)?.prompts ?? []).slice(0, 4).map((prompt) =>
      button(prompt, () => setPrompt(prompt), "suggestion", { dir: "auto" }))),
  ] : []));
}

export const startSuggestions = () => subscribe(drawSuggestions);
