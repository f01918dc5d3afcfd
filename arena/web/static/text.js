// Rendered texts: buttons that copy code, names in the page's language, and Mermaid diagrams in frames that can reach
// nothing. Texts that are added later are found too; a text that is still growing (.tail) has no diagrams yet.
// Needs copy.js and texts.js.
(() => {
  const PATIENCE = 15000; // ms for the library and the drawing
  const FRAME = "/diagram";
  const NAMES = { Code: () => t("Code"), Table: () => t("Table") };

  function prepare(root) {
    if (root.nodeType !== 1) return;
    const all = (selector) => [...(root.matches(selector) ? [root] : []), ...root.querySelectorAll(selector)];
    for (const button of all("button.code-copy[hidden]")) {
      button.textContent = t("Copy");
      button.hidden = false;
    }
    for (const part of all(".code-block > pre, .table-scroll")) {
      const name = NAMES[part.getAttribute("aria-label")]?.();
      if (name) part.setAttribute("aria-label", name);
    }
    for (const source of all("pre.mermaid")) if (!source.closest(".tail")) seen.observe(source);
  }

  async function copy(button) {
    await copyText(button.closest(".code-block").querySelector("code").textContent);
    button.textContent = t("Copied");
    setTimeout(() => { button.textContent = t("Copy"); }, 2000);
  }

  const waiting = new Map(); // window of a frame -> what to do with its messages
  addEventListener("message", (event) => waiting.get(event.source)?.(event.data ?? {}));

  function draw(source) {
    const block = source.closest(".code-block"), frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts");
    frame.title = t("Diagram");
    frame.src = FRAME;
    frame.className = "waiting"; // it needs its width to lay text out
    const giveUp = () => { waiting.delete(frame.contentWindow); frame.remove(); };
    const timer = setTimeout(giveUp, PATIENCE);
    source.after(frame);
    const send = () => frame.contentWindow?.postMessage(
      { source: source.textContent, dark: document.documentElement.dataset.theme === "dark", width: block.clientWidth }, "*");
    waiting.set(frame.contentWindow, (message) => {
      if (message.ready) send();
      if (message.failed) { clearTimeout(timer); giveUp(); }
      if (Number.isFinite(message.height)) {
        clearTimeout(timer);
        frame.style.height = `${Math.min(Math.max(message.height, 40), 1200)}px`;
        frame.className = "";
        block.classList.add("drawn");
      }
    });
    document.addEventListener("themechange", send);
  }

  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || target.dataset.drawing) continue;
      target.dataset.drawing = "yes";
      seen.unobserve(target);
      draw(target);
    }
  }, { rootMargin: "200px" });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.code-copy");
    if (button) copy(button);
  });
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) prepare(node);
  }).observe(document.documentElement, { childList: true, subtree: true });
  prepare(document.documentElement);
})();
