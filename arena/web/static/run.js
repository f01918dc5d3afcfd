// A page about a run: filters and order of its samples, and the words in which two completions differ.
(() => {
  const list = document.querySelector(".run-samples"), filters = document.querySelector(".run-filters");
  const samples = list ? [...list.querySelectorAll(".run-sample")] : [];
  const search = document.getElementById("run-search"), order = document.getElementById("run-order"), count = document.getElementById("run-count");
  const words = new Map(); // a sample's summary in small letters, read once
  const said = (sample) => words.get(sample) ?? words.set(sample, sample.firstElementChild.textContent.toLowerCase()).get(sample);
  let tag = "", about = ""; // the filter, and the number of a table that it came from

  function filter() {
    const sought = search.value.trim().toLowerCase();
    let shown = 0;
    for (const sample of samples) {
      const fits = (!tag || ` ${sample.dataset.tags} `.includes(` ${tag} `)) && (!sought || said(sample).includes(sought));
      sample.hidden = !fits;
      shown += fits;
    }
    count.textContent = shown ? `${shown.toLocaleString("en")} of ${samples.length.toLocaleString("en")} samples${about && `: ${about}`}` : "No sample matches.";
    for (const chip of filters.querySelectorAll("[data-tag]")) chip.setAttribute("aria-pressed", String(chip.dataset.tag === tag));
  }

  function sort() {
    const place = (sample) => order.value === "longest" ? -sample.dataset.length : Number(sample.dataset.values?.split(" ")[order.value] ?? Infinity);
    list.append(...(order.value ? [...samples].sort((a, b) => place(a) - place(b) || 0) : samples));
  }

  // What is in `a` and not in `b`, and the other way round, by their longest common subsequence of words.
  const LARGEST = 4e6; // cells of the table: longer texts differ as a whole between their equal ends
  function parts(a, b) {
    let start = 0, end = 0;
    while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
    while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
    const x = a.slice(start, a.length - end), y = b.slice(start, b.length - end);
    const inner = x.length * y.length > LARGEST ? [x.map(() => true), y.map(() => true)] : changed(x, y);
    const whole = (marks) => [...Array(start).fill(false), ...marks, ...Array(end).fill(false)];
    return inner.map(whole);
  }

  function changed(x, y) {
    const width = y.length + 1, table = new Uint16Array((x.length + 1) * width);
    for (let i = x.length - 1; i >= 0; i--)
      for (let j = y.length - 1; j >= 0; j--)
        table[i * width + j] = x[i] === y[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    const left = x.map(() => true), right = y.map(() => true);
    for (let i = 0, j = 0; i < x.length && j < y.length;) {
      if (x[i] === y[j]) left[i++] = right[j++] = false;
      else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i++;
      else j++;
    }
    return [left, right];
  }

  function column(title, tokens, marks, name) {
    const box = document.createElement("section"), head = document.createElement("h3");
    box.className = "completion";
    head.textContent = title;
    box.append(head);
    for (let i = 0; i < tokens.length;) {
      let j = i;
      while (j < tokens.length && marks[j] === marks[i]) j++;
      const text = tokens.slice(i, j).join("");
      const part = marks[i] ? document.createElement(name) : document.createTextNode(text);
      if (marks[i]) part.textContent = text;
      box.append(part);
      i = j;
    }
    return box;
  }

  function compare(form) {
    const button = form.querySelector("button"), diff = form.nextElementSibling, both = diff.nextElementSibling;
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(open));
    diff.hidden = !open;
    both.hidden = open;
    if (!open) return;
    const sides = [...form.querySelectorAll("select")].map((select) => both.children[select.value]);
    const texts = sides.map((side) => (side.querySelector(".run-text.last")?.textContent ?? "").trim().match(/(?:[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_])\s*/gu) ?? []);
    const [left, right] = parts(...texts.map((tokens) => tokens.map((token) => token.trim()))); // spaces make no difference
    diff.replaceChildren(column(sides[0].dataset.model, texts[0], left, "del"), column(sides[1].dataset.model, texts[1], right, "ins"));
  }

  async function load(sample) {
    const address = sample.dataset.address, body = sample.querySelector(".run-body");
    delete sample.dataset.address;
    const reply = await fetch(`${address}?part=1`);
    if (reply.ok) body.innerHTML = await reply.text();
    else sample.dataset.address = address; // the link in the body stays
    prepare(body);
  }
  const prepare = (root) => { for (const form of root.querySelectorAll(".run-compare")) form.hidden = false; };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-tag]");
    if (!link || !filters) return;
    const cell = link.closest("td, th"), heads = link.closest("table")?.tHead.rows[0].cells;
    tag = link.dataset.tag;
    about = cell ? `${cell.parentElement.cells[0].textContent}, ${heads[cell.cellIndex].textContent}` : "";
    filter();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".run-compare")) return;
    event.preventDefault();
    compare(event.target);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest(".run-compare");
    if (form?.querySelector("button").getAttribute("aria-pressed") === "true") {
      form.querySelector("button").setAttribute("aria-pressed", "false");
      compare(form);
    }
  });
  document.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    const body = event.target.querySelector(".run-body"), kept = body?.querySelector(":scope > script");
    if (event.target.dataset?.address) load(event.target);
    if (kept) {
      body.innerHTML = JSON.parse(kept.textContent);
      prepare(body);
    }
  }, true);
  prepare(document);
  if (filters) {
    filters.hidden = false;
    search.addEventListener("input", filter);
    order.addEventListener("change", sort);
    filter();
  }
})();
