// Plots and slow parts of a page: fetched and drawn when they become visible, again when their address changes.
const NARROW = 560; // pixels of a canvas below which a plot is drawn for a phone

let plotly;
const library = () => (plotly ??= new Promise((done, fail) => {
  const script = document.createElement("script");
  script.src = "/reading/plotly.js";
  script.onload = done;
  script.onerror = fail;
  document.head.append(script);
}));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The colours of the page for text and lines; those of the data come with the figure.
function themed(layout) {
  const [text, line, raised] = ["--text", "--line", "--raised"].map(colour);
  const out = { ...layout, font: { ...layout.font, color: text }, hoverlabel: { bgcolor: raised, font: { color: text } } };
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

// The colour of the page over cells with few battles: the fewer, the less of the cell shows through.
function veiled(traces) {
  const digits = colour("--surface").slice(1);
  const [red, green, blue] = (digits.length === 3 ? [...digits].map((d) => d + d) : digits.match(/../g)).map((d) => parseInt(d, 16));
  for (const trace of traces) {
    if (trace.meta === "veil") trace.colorscale = [0.86, 0].map((alpha, end) => [end, `rgba(${red},${green},${blue},${alpha})`]);
  }
  return traces;
}

async function part(one) {
  const address = one.dataset.part;
  const html = await (await fetch(address, { headers: { "x-part": "1" } })).text();
  if (one.dataset.part !== address) return; // a later request has overtaken this one
  one.innerHTML = html;
  watchAll(one);
}

function note(one, figure) {
  const place = one.querySelector(".note");
  if (!place) return;
  place.textContent = figure.note ?? "";
  if (!figure.all) return;
  const link = document.createElement("a");
  link.href = figure.all;
  link.textContent = figure.all_label;
  place.append(" ", link);
}

async function draw(one) {
  const canvas = one.querySelector(".canvas");
  const narrow = canvas.clientWidth < NARROW;
  const url = one.dataset.plot;
  const figure = await (await fetch(url + (narrow ? (url.includes("?") ? "&" : "?") + "narrow=1" : ""))).json();
  if (one.dataset.plot !== url) return;
  note(one, figure);
  canvas.setAttribute("role", figure.notice ? "group" : "img"); // the text inside an image is not read
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
  await window.Plotly.react(canvas, veiled(figure.data), themed(figure.layout),
    { responsive: true, displaylogo: false, displayModeBar: false });
}

// Fetch a part or a plot, once for each address.
export function fill(one) {
  if (one.dataset.drawn) return;
  one.dataset.drawn = one.dataset.seen = "yes";
  return one.dataset.part ? part(one) : draw(one);
}

// Take over the addresses of a newer page; what was visible is fetched again.
export function follow(page) {
  for (const old of document.querySelectorAll("[data-plot], [data-part]")) {
    const fresh = page.getElementById(old.id);
    const kind = old.dataset.plot ? "plot" : "part";
    if (!fresh || old.dataset[kind] === fresh.dataset[kind]) continue;
    old.dataset[kind] = fresh.dataset[kind];
    const [links, others] = [old, fresh].map((figure) => figure.querySelectorAll(".data a"));
    links.forEach((link, n) => { link.href = others[n].href; });
    delete old.dataset.drawn;
    if (old.dataset.seen) fill(old);
  }
}

const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) fill(entry.target);
}, { rootMargin: "300px" });

export function watchAll(root = document) {
  for (const one of root.querySelectorAll("[data-plot], [data-part]")) watch.observe(one);
}

document.addEventListener("themechange", () => {
  for (const canvas of document.querySelectorAll(".canvas")) {
    if (canvas.figure) window.Plotly.react(canvas, veiled(canvas.figure.data), themed(canvas.figure.layout));
  }
});
