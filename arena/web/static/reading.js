// Updates the page when a control changes, without a reload, keeps the address current, and draws the plots.
// Without this script, links and the Show button do the same.
(() => {
  const POLL = 400; // milliseconds between two checks for new votes; a check reads one row of an index
  const TYPING = 180; // milliseconds without typing before a search starts
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

  // Replace the parts of the page; the controls stay, so that text being typed is kept.
  function show(page, { controls }) {
    for (const id of ["board", "take", "list", ...(controls ? ["controls"] : [])]) {
      const [old, fresh] = [at(id), page.getElementById(id)];
      if (old && fresh) old.replaceWith(fresh);
    }
    const [form, other] = [at("why"), page.getElementById("why")]; // days being chosen stay, unless the board changes
    if (form && other && form.dataset.words !== other.dataset.words) form.replaceWith(other);
    for (const [old, fresh] of [...document.querySelectorAll("[data-plot], [data-part]")].map((one) =>
      [one, page.getElementById(one.id)])) {
      const kind = old.dataset.plot ? "plot" : "part";
      if (!fresh || old.dataset[kind] === fresh.dataset[kind]) continue;
      old.dataset[kind] = fresh.dataset[kind];
      const [links, others] = [old, fresh].map((figure) => figure.querySelectorAll(".data a"));
      links.forEach((link, n) => { link.href = others[n].href; });
      delete old.dataset.drawn;
      if (old.dataset.seen) fill(old);
    }
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
    const usual = { source: "human", category: "overall", method: "bt" };
    for (const [name, value] of new FormData(form)) {
      if (!value || usual[name] === value) continue;
      const joined = (name === "columns" || name === "beside") && words.has(name);
      words.set(name, joined ? `${words.get(name)},${value}` : value);
    }
    // the default columns need no parameter
    if (!form.dataset.columns) words.delete("columns");
    return words.size ? `${form.action.split("?")[0]}?${words}` : form.action.split("?")[0];
  }

  // Rating changes: the result is shown below the form.
  function listenWhy() {
    const form = at("why"), part = at("moved");
    if (!form || !part || form.dataset.heard) return;
    form.dataset.heard = "yes";
    const ask = (event) => {
      event.preventDefault();
      part.dataset.part = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      delete part.dataset.drawn;
      fill(part);
    };
    form.addEventListener("change", ask);
    form.addEventListener("submit", ask);
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
    const link = event.target.closest("#board thead a, .pager a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(link.href, { controls: true });
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

  // Plots and slow parts are fetched when they become visible
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let plotly;
  const library = () => (plotly ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = "/reading/plotly.js";
    script.onload = done;
    script.onerror = fail;
    document.head.append(script);
  }));

  function themed(layout) {
    const [text, line, page] = ["--text", "--line", "--raised"].map(colour);
    const out = { ...layout, font: { ...layout.font, color: text }, hoverlabel: { bgcolor: page, font: { color: text } } };
    for (const key of Object.keys(out)) {
      if (/^[xy]axis\d*$/.test(key)) out[key] = { ...out[key], gridcolor: line, zerolinecolor: line, linecolor: line };
    }
    if (out.polar) {
      const axes = { gridcolor: line, linecolor: line };
      out.polar = { ...out.polar, bgcolor: "transparent", radialaxis: { ...out.polar.radialaxis, ...axes },
        angularaxis: { ...out.polar.angularaxis, ...axes } };
    }
    return out;
  }

  async function fill(one) {
    if (one.dataset.drawn) return;
    one.dataset.drawn = "yes";
    one.dataset.seen = "yes";
    if (one.dataset.part) {
      const part = one.dataset.part;
      const html = await (await fetch(part, { headers: { "x-part": "1" } })).text();
      if (one.dataset.part !== part) return; // a later request has overtaken this one
      one.innerHTML = html;
      for (const plot of one.querySelectorAll("[data-plot]")) watch.observe(plot);
      return;
    }
    const canvas = one.querySelector(".canvas");
    const narrow = canvas.clientWidth < 560;
    const url = one.dataset.plot;
    const reply = await fetch(url + (narrow ? (url.includes("?") ? "&" : "?") + "narrow=1" : ""));
    const figure = await reply.json();
    if (one.dataset.plot !== url) return;
    if (figure.notice) {
      window.Plotly?.purge(canvas);
      canvas.innerHTML = '<p class="hint"></p>';
      canvas.firstChild.textContent = figure.notice;
      return;
    }
    await library();
    if (!canvas.classList.contains("js-plotly-plot")) canvas.replaceChildren();
    if (narrow) for (const trace of figure.data) if (trace.type === "heatmap") trace.showscale = false;
    canvas.figure = figure;
    await window.Plotly.react(canvas, figure.data, themed(figure.layout),
      { responsive: true, displaylogo: false, displayModeBar: false });
  }
  document.addEventListener("themechange", () => {
    for (const canvas of document.querySelectorAll(".canvas")) {
      if (canvas.figure) window.Plotly.react(canvas, canvas.figure.data, themed(canvas.figure.layout));
    }
  });
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) fill(entry.target);
  }, { rootMargin: "300px" });
  for (const one of document.querySelectorAll("[data-plot], [data-part]")) watch.observe(one);
  listen();
})();
