// The title of the page names the state of the battle: it is read in another tab, and by a screen reader.
import { find } from "./dom.js";
import { isBlind, isCounted, isFailed, isPending, isRunning, state, subscribe } from "./state.js";

function stateName() {
  if (isFailed()) return t("A model failed");
  if (isCounted()) return t("The models of this battle");
  if (isPending()) return t("Vote saved");
  if (isRunning()) return state.battle.mode === "single" ? t("The model is writing") : t("Both models are writing");
  if (state.battle?.status !== "open") return "";
  if (state.battle.interrupted) return t("Interrupted");
  return isBlind() ? t("Which answer is better?") : t("Battle");
}

function drawTitle() {
  const site = find("meta[property='og:title']").content, name = stateName();
  const title = (name ? `${name} · ${site}` : site).trim(); // a browser trims it too
  if (document.title !== title) document.title = title;
}

export function startTitle() {
  subscribe(drawTitle);
  new MutationObserver(drawTitle).observe(document.head, { childList: true, subtree: true, characterData: true }); // Gradio writes one too
}
