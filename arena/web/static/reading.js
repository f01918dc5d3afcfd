// Updates the page when a control changes, without a reload, and keeps the address current.
// Without this script, links and the Show button do the same.
import { fill, follow, watchAll } from "./plots.js";
import { showChosen } from "./compare.js";

const POLL = 400; // milliseconds between two checks for new votes; a check reads one row of an index
const TYPING = 180; // milliseconds without typing before a search starts
const USUAL = { source: "human", category: "overall", method: "bt" };
const REPLACED = ["highlights", "board", "take", "list", "tabs"];
document.documentElement.classList.add("scripted");

const at = (id) => document.getElementById(id);
let latest = 0; // a reply that a later request has overtaken is dropped

async function load(url) {
  const mine = ++latest;
  at("board")?.classList.add("busy");
  const reply = await fetch(url, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  return mine === latest ? page : null;
}

function replace(id, page) {
  const [old, fresh] = [at(id), page.getElementById(id)];
  if (old && fresh) old.replaceWith(fresh);
}

// Replace the parts of the page; the controls stay, so that text being typed is kept.
function show(page, { controls }) {
  for (const id of [...REPLACED, ...(controls ? ["controls"] : [])]) replace(id, page);
  const [form, other] = [at("why"), page.getElementById("why")]; // days being chosen stay, unless the board changes
  if (form && other && form.dataset.words !== other.dataset.words) form.replaceWith(other);
  const [plot, next] = [at("plot"), page.getElementById("plot")];
  if (plot && next && plot.dataset.name !== next.dataset.name) {
    plot.replaceWith(next);
    watchAll(next);
  }
  follow(page);
  showChosen();
  listen();
}

async function go(url, { push = true, controls = false } = {}) {
  const page = await load(url).catch(() => null);
  if (!page) return; // overtaken, or aborted by leaving the page
  if (push === true) history.pushState(null, "", url);
  if (push === "replace") history.replaceState(null, "", url);
  show(page, { controls });
}

function address(form) {
  const words = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (!value || USUAL[name] === value) continue;
    const joined = (name === "columns" || name === "beside") && words.has(name);
    words.set(name, joined ? `${words.get(name)},${value}` : value);
  }
  if (!form.dataset.columns) words.delete("columns"); // the default columns need no parameter
  return words.size ? `${form.action.split("?")[0]}?${words}` : form.action.split("?")[0];
}

// Rating changes: the result is shown below the form.
function listenWhy() {
  const form = at("why"), part = at("moved");
  if (!form || !part || form.dataset.heard) return;
  form.dataset.heard = "yes";
  const update = (event) => {
    event.preventDefault();
    part.dataset.part = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    delete part.dataset.drawn;
    fill(part);
  };
  form.addEventListener("change", update);
  form.addEventListener("submit", update);
}

let timer;
function listen() {
  listenWhy();
  const form = at("controls");
  if (!form || form.dataset.heard) return;
  form.dataset.heard = "yes";
  if (new URLSearchParams(location.search).has("columns")) form.dataset.columns = "yes";
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (event.target.name === "columns") form.dataset.columns = "yes";
    const typed = event.target.type === "search" || event.target.type === "date";
    const already = new URLSearchParams(location.search).has(event.target.name);
    // one step back leaves a search, whatever its length
    timer = setTimeout(() => go(address(form), { push: typed && already ? "replace" : true }), typed ? TYPING : 0);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(timer); go(address(form)); });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#board thead a, #tabs a, .note a, .pager a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const tab = link.closest("#tabs") && link.id;
  go(link.href, { controls: true }).then(() => tab && at(tab)?.focus({ preventScroll: true }));
  if (link.closest(".pager")) scrollTo({ top: 0 });
});
addEventListener("popstate", () => go(location.href, { push: false, controls: true }));

// New votes
let seen = null;
async function look() {
  const board = at("board");
  if (document.hidden || !board?.dataset.version) return;
  try {
    const { last } = await (await fetch(board.dataset.version, { cache: "no-store" })).json();
    if (seen !== null && last !== seen) await go(location.href, { push: false });
    seen = last;
  } catch { /* the arena is restarting: check again next time */ }
}
if (at("board")) { look(); setInterval(look, POLL); }

watchAll();
listen();
