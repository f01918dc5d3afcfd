// The turns of a battle: the prompt once, the two answers below it.
import { regenerate } from "./actions.js";
import { api } from "./api.js";
import { all, button, el, fill, find, served, show, write } from "./dom.js";
import { drawPanes, setShown, showLastTurn } from "./panes.js";
import { editLast } from "./composer.js";
import { hasText, isRunning, sides, state, subscribe } from "./state.js";
import { announce } from "./tell.js";

const drawn = new WeakMap(); // side -> the HTML of the API that it shows
const LONG_PROMPT = 400; // characters: longer ones are folded

const nameOf = (side) => {
  const name = state.battle?.models?.[side];
  if (state.battle?.mode === "single") return name ?? t("Model");
  const letter = side.toUpperCase();
  return name ? `${letter} · ${name}` : t("Model {letter}", { letter });
};

const ICONS = {
  copy: "M9 9h10v11H9zM5 15V4h10",
  again: "M20 11a8 8 0 1 0-2.300 6M20 5v6h-6",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
};

function icon(name, label, onclick, focus) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "aria-hidden": "true" })) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, "data-focus": focus }, svg);
}

/** On a phone, below one answer: the way to the other one. */
function nextSide(letter) {
  if (state.battle.mode === "single") return null;
  const [other, name] = letter === "a" ? ["b", t("Read answer B")] : ["a", t("Read answer A")];
  return button(name, () => { setShown(other); showLastTurn(); }, "button small next-side");
}

function side(letter, number) {
  const text = el("div", { class: "side-text rendered", role: "group", dir: "auto", tabindex: 0 },
    el("div", { class: "done" }), el("div", { class: "tail" }));
  return el("section", { class: `side ${letter}`, "data-side": letter },
    el("header", { class: "side-head" },
      state.battle.mode === "single" ? null : el("span", { class: `letter ${letter}`, "aria-hidden": "true" }, letter.toUpperCase()),
      el("h3", {}), el("span", { class: "side-note" }),
      el("span", { class: "side-tools" },
        icon("copy", state.battle.mode === "single" ? t("Copy this answer") : t("Copy answer {letter}", { letter: letter.toUpperCase() }), (event) => copyAnswer(event, number, letter), `copy-${number}-${letter}`),
        icon("again", t("Run side {letter} again", { letter: letter.toUpperCase() }), () => regenerate(letter), `again-${number}-${letter}`),
        button("", () => setShown(letter), "button quiet small widen", { "data-focus": `widen-${number}-${letter}` }))),
    text, nextSide(letter));
}

function turn(number) {
  const prompt = el("div", { class: "prompt-text rendered", dir: "auto" });
  const fold = button(t("Show the whole prompt"), (event) => {
    const open = prompt.classList.toggle("open");
    event.target.setAttribute("aria-expanded", String(open));
    event.target.textContent = open ? t("Fold the prompt") : t("Show the whole prompt");
  }, "button quiet small fold", { "aria-expanded": "false", hidden: true });
  const both = state.battle.mode === "single" ? t("Run the model again") : t("Run both again");
  return el("article", { class: "turn", "data-number": number, "aria-labelledby": `turn-${number}` },
    el("h2", { class: "visually-hidden", id: `turn-${number}` }, t("Turn {number}", { number })),
    el("div", { class: "prompt" }, el("div", { class: "prompt-images", hidden: true }), prompt,
      el("span", { class: "prompt-tools" },
        icon("edit", t("Edit and send again"), editLast, `edit-${number}`),
        icon("again", both, () => regenerate(), `both-${number}`)), fold),
    el("div", { class: "sides" }, ...sides().map((letter) => side(letter, number))));
}

async function copyAnswer(event, number, letter) {
  const target = event.currentTarget;
  const textOf = (battle) => battle.turns.find((one) => one.number === number)?.completions[letter]?.text;
  await copyText(textOf(state.battle) ?? textOf(await api.read(state.battle.id)) ?? "");
  said(target);
}

/** Marks a button as done for two seconds: an icon changes its colour and name, a word becomes "Copied". */
export function said(target) {
  const isIcon = target.hasAttribute("aria-label");
  const label = isIcon ? target.getAttribute("aria-label") : target.textContent;
  const name = (text) => (isIcon ? target.setAttribute("aria-label", text) : write(target, text));
  target.classList.add("is-done");
  name(t("Copied"));
  announce(t("Copied"));
  setTimeout(() => { target.classList.remove("is-done"); name(label); }, 2000);
}

function drawTurns() {
  const { battle } = state, root = find("#turns");
  show(find("#start"), !battle);
  show(find("#title"), Boolean(battle)); // the heading of the page is in #start until then
  show(root, Boolean(battle));
  const key = battle ? `${battle.id} ${sides()}` : "";
  if (root.dataset.battle !== key) { root.replaceChildren(); root.dataset.battle = key; }
  if (!battle) return;
  for (const one of battle.turns) drawTurn(root, one);
  for (const extra of all(".turn", root).slice(battle.turns.length)) extra.remove();
}

function drawTurn(root, one) {
  let node = find(`.turn[data-number="${one.number}"]`, root);
  const isNew = !node, isLast = one.number === state.battle.turn;
  if (isNew) root.append(node = turn(one.number));
  node.classList.toggle("last", isLast);
  const promptKey = one.prompt_html ?? one.prompt;
  const prompt = find(".prompt-text", node);
  if (node.dataset.prompt !== promptKey) {
    one.prompt_html ? served(prompt, one.prompt_html) : write(prompt, one.prompt);
    node.dataset.prompt = promptKey;
    show(find(".fold", node), one.prompt.length > LONG_PROMPT || one.prompt.split("\n").length > 4);
  }
  drawImages(node, one);
  const idle = isLast && state.battle.can_continue && !state.busy && !state.battle.vote;
  const canRepeat = isLast && state.battle.status === "open" && !state.battle.vote && !state.busy;
  show(find(".prompt-tools", node), idle || canRepeat);
  for (const letter of sides()) drawSide(node, one, letter, isLast, canRepeat);
  if (isNew) { drawPanes(); if (isLast) showLastTurn(); }
}

function drawImages(node, one) {
  const root = find(".prompt-images", node), ids = one.images ?? [];
  show(root, ids.length > 0);
  fill(root, ids.join(" "), () => ids.map((id, place) => {
    const address = `/api/v1/images/${encodeURIComponent(id)}`;
    const name = t("Image {number} of the prompt", { number: place + 1 });
    return el("a", { href: address, target: "_blank", rel: "noopener" }, el("img", { src: address, alt: name }));
  }));
}

function drawSide(node, one, letter, isLast, canRepeat) {
  const root = find(`[data-side="${letter}"]`, node), written = one.completions?.[letter] ?? {};
  const running = isLast && isRunning();
  write(find("h3", root), nameOf(letter));
  const text = find(".side-text", root);
  text.setAttribute("aria-label", t("Turn {number}: answer of {name}", { number: one.number, name: nameOf(letter) }));
  drawText(root, one, written, running);
  root.classList.toggle("writing", running && Boolean(state.started?.[letter]));
  root.classList.toggle("waiting", running && !hasText());
  const note = find(".side-note", root);
  fill(note, `${noteOf(written, running)}`, () => [noteOf(written, running)]);
  show(find(".side-tools", root), !running);
  show(find(`[data-focus="copy-${one.number}-${letter}"]`, root), Boolean(text.textContent.trim())); // a failed side has none
  show(find(`[data-focus="again-${one.number}-${letter}"]`, root), canRepeat && state.battle.mode !== "single");
  const widen = find(".widen", root), wide = find("#main").dataset.shown === letter;
  write(widen, wide ? t("Both answers") : t("Widen"));
  show(widen, state.battle.mode !== "single");
  if (wide) widen.removeAttribute("aria-label");
  else widen.setAttribute("aria-label", t("Widen answer {letter}", { letter: letter.toUpperCase() }));
}

/** The text of an answer: of the API when it begins and when it is stored; in between the stream writes it. */
function drawText(root, one, written, running) {
  const key = `${one.number} ${one.number === state.battle.turn ? state.battle.attempt : ""}`;
  const begins = root.dataset.attempt !== key;
  if (!begins && (running || written.html === undefined || written.html === drawn.get(root))) return;
  root.dataset.attempt = key;
  drawn.set(root, written.html);
  served(find(".done", root), written.html ?? "");
  find(".tail", root).replaceChildren();
}

function noteOf(written, running) {
  if (running) return "";
  if (state.battle.withheld) return t("Hidden");
  if (written.truncated) return t("Cut at its length limit");
  if (written.status === "stopped") return t("Stopped");
  if (written.status === "failed") return t("Failed");
  if (written.status === "abandoned") return t("Interrupted");
  return "";
}

export const startTurns = () => subscribe(drawTurns);
