// After the vote: who the models were, what they cost, how others voted, and what to do with the battle.
import { share } from "./actions.js";
import { button, el, fill, find, isWide, show } from "./dom.js";
import { askReport } from "./report.js";
import { isBlind, isCounted, isHeld, isPrivate, sides, state, subscribe } from "./state.js";
import { tell } from "./tell.js";
import { said } from "./turns.js";
import { heldText, wordOf } from "./votes.js";

const language = document.documentElement.lang || undefined;
const number = (value, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
const price = (value) => new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 4 }).format(value);
const known = (value) => value !== null && value !== undefined;

/** What is asked first, and the rest, which a small window folds. */
function facts(card) {
  const first = [
    known(card.rating) && [t("Rating"), known(card.lower)
      ? t("{rating} ({lower} to {upper})", { rating: number(card.rating), lower: number(card.lower), upper: number(card.upper) }) : number(card.rating)],
    known(card.rank) && [t("Rank"), tn("{rank}, from {battles} battle", "{rank}, from {battles} battles", card.battles ?? 0, { rank: number(card.rank), battles: number(card.battles ?? 0) })],
  ];
  const more = [
    card.licence && [t("Licence"), card.licence],
    known(card.price_in) && [t("Price"), t("${price_in} in, ${price_out} out, per million tokens", { price_in: price(card.price_in), price_out: price(card.price_out ?? 0) })],
    known(card.seconds) && [t("Time"), known(card.first_token_seconds)
      ? t("{seconds} s, first word after {first} s", { seconds: number(card.seconds, 1), first: number(card.first_token_seconds, 1) }) : t("{seconds} s", { seconds: number(card.seconds, 1) })],
    known(card.tokens) && [t("Tokens"), number(card.tokens)],
    known(card.energy_wh) && [t("Energy"), t("{energy} Wh", { energy: number(card.energy_wh, 3) })],
  ];
  const folded = listOf(more);
  return [listOf(first), isWide() ? folded : folded && el("details", { class: "more-facts" }, el("summary", {}, t("Details")), folded)];
}

function listOf(rows) {
  const pairs = rows.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  return pairs.length ? el("dl", { class: "facts" }, ...pairs) : null;
}

const winners = { model_a: "a", model_b: "b" };

function card(side, data) {
  const won = winners[state.battle.vote?.winner] === side;
  const page = data.page ?? data.url; // a private model has none
  const name = el("h3", {}, page ? el("a", { href: page, target: "_blank", rel: "noopener" }, data.model) : data.model);
  return el("article", { class: `card reveal-card ${side}`, "aria-label": data.model },
    el("header", {}, el("span", { class: `letter ${side}`, "aria-hidden": "true" }, side.toUpperCase()), name,
      won ? el("span", { class: "tag won" }, t("Your choice")) : null),
    data.organisation ? el("p", { class: "hint" }, data.organisation) : null,
    ...facts(data));
}

function othersLine(others) {
  if (!others?.votes) return null;
  const share = (count) => new Intl.NumberFormat(language, { style: "percent" }).format(count / others.votes);
  return el("p", { class: "others" }, t("Other votes on these two models: {votes}. A {a}, tie {ties}, both bad {bad}, B {b}.", {
    votes: number(others.votes), a: share(others.a), ties: share(others.ties), bad: share(others.both_bad), b: share(others.b),
  }));
}

/** What a control battle was for: said once its vote is saved. */
const controls = {
  same_model: () => t("This was a control battle: both answers came from one model. Your vote is kept and changes no rating. It shows whether the left or the right side is preferred."),
  swapped: () => t("This was a control battle: both answers had been shown before, with the sides exchanged. Your vote is kept and changes no rating. It shows how steady votes are."),
};

function controlLine({ control }) {
  if (controls[control]) return el("p", { class: "hint" }, controls[control]());
  return isPrivate() ? el("p", { class: "hint" }, t("A model without a name is tested in private. Your vote is kept and changes no rating.")) : null;
}

/** Why a vote is on no board is said on the voter's own page, where it can be appealed. */
function heldLine() {
  if (!isHeld()) return null;
  return el("p", { class: "hint" }, `${heldText()} `, el("a", { href: "/me?winner=not_counted#history" }, t("Show why, and appeal")));
}

const shareLink = () => new URL(`/battles/${encodeURIComponent(state.battle.id)}`, location.href).href;

function tools() {
  const { battle } = state;
  const box = el("input", { type: "checkbox", id: "share", "data-focus": "share", onchange: (event) => setShared(event.target) });
  box.checked = battle.shared;
  const canShare = isBlind() && !battle.reveal.control; // nothing of a control battle is published
  const copy = button(t("Copy link"), copyLink, "button small", { "data-focus": "link", "aria-disabled": String(!battle.shared) });
  return el("div", { class: "reveal-tools" },
    canShare ? el("label", { class: "tick" }, box, t("Publish this battle for all readers")) : null,
    canShare ? copy : null,
    battle.reveal.receipt ? el("a", { href: battle.reveal.receipt.proof, class: "button quiet small", target: "_blank", rel: "noopener" }, t("Receipt of your vote")) : null,
    button(t("Report"), askReport, "button quiet small", { "data-focus": "report" }));
}

/** A link that would not work is not copied: the page says what makes it work. */
async function copyLink({ currentTarget }) {
  if (!state.battle.shared) return tell(t("Publish the battle first: the link then works for everybody."));
  await copyText(shareLink());
  said(currentTarget);
}

/** The box follows the arena: a failed request puts it back. The voter may have left the battle meanwhile. */
async function setShared(box) {
  const { id } = state.battle;
  await share(box.checked);
  if (state.battle?.id === id) box.checked = state.battle.shared;
}

function drawReveal() {
  const root = find("#reveal"), { battle } = state;
  const ready = Boolean(battle?.reveal) && (isCounted() || !isBlind());
  for (const one of [root, find("[data-live='reveal']")]) show(one, ready);
  if (!ready) return;
  const cut = sides().some((side) => battle.turns.at(-1)?.completions?.[side]?.status === "stopped");
  fill(root, JSON.stringify([battle.id, battle.reveal, battle.vote?.winner, battle.vote?.counts, battle.shared, cut]), () => [
    isCounted() ? el("h2", { class: "your-vote", id: "reveal-title", tabindex: -1 }, t("Your vote: {vote}.", { vote: wordOf(battle.vote?.winner) ?? "" }), cut ? ` ${t("The answers were cut short.")}` : "") : null,
    el("div", { class: "cards" }, ...sides().filter((side) => battle.reveal[side]).map((side) => card(side, battle.reveal[side]))),
    heldLine(),
    controlLine(battle.reveal),
    othersLine(battle.reveal.others),
    tools(),
  ].filter(Boolean));
}

export const startReveal = () => subscribe(drawReveal);
