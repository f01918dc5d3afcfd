// The battle page: starts its parts, then Gradio's shell.
import { battleOfAddress, open } from "./actions.js";
import { loadShell, startAdoption } from "./adopt.js";
import { startComposer } from "./composer.js";
import { startConnection, suspect } from "./connection.js";
import { embeddedFacts } from "./facts.js";
import { startFocus } from "./focus.js";
import { startGuard } from "./guard.js";
import { startImages } from "./images.js";
import { startModes } from "./modes.js";
import { startNotice } from "./notice.js";
import { startPanes } from "./panes.js";
import { startReveal } from "./reveal.js";
import { startSuggestions } from "./start.js";
import { changed, state, subscribe } from "./state.js";
import { startTelling } from "./tell.js";
import { startTitle } from "./title.js";
import { startTurns } from "./turns.js";
import { startVotes } from "./votes.js";

for (const start of [
  startGuard, startAdoption, startComposer, startPanes, startTurns, startVotes, startNotice, startTelling, startReveal, startModes,
  startImages, startSuggestions, startConnection, startFocus, startTitle,
]) start();
subscribe(suspect);
embeddedFacts();
document.addEventListener("click", (event) => { // another language shows the same battle
  const link = event.target.closest?.(".languages a");
  if (!link || !state.battle) return;
  const address = new URL(link.href);
  address.searchParams.set("battle", state.battle.id);
  link.href = address;
});
addEventListener("popstate", () => { // the way back: the page opens the battle of its address
  if (battleOfAddress() !== (state.battle?.id ?? null)) location.reload();
});
changed();
const id = battleOfAddress();
if (id) open(id);
performance.mark("arena-interactive");
const later = window.requestIdleCallback ?? setTimeout;
if (document.readyState === "complete") later(loadShell);
else addEventListener("load", () => later(loadShell));
