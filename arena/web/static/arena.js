// Keys for voting, battles that survive a reload, and a banner while the arena cannot be reached.
(() => {
  const KEYS = {
    ArrowLeft: "model_a", a: "model_a", ArrowRight: "model_b", b: "model_b",
    ArrowUp: "tie", t: "tie", ArrowDown: "both_bad", x: "both_bad",
  };
  const BATTLE = "arena-battle"; // in sessionStorage: each tab has its own battle
  const POLL = 3000; // milliseconds

  // The page's first event tells the battle of this tab. Gradio could run a script before it, but only with eval.
  const plain = window.fetch;
  window.fetch = (address, options) => {
    const battle = sessionStorage.getItem(BATTLE);
    if (!battle || !String(address).includes("/queue/join")) return plain(address, options);
    const headers = new Headers(options?.headers);
    headers.set("x-arena-battle", battle);
    return plain(address, { ...options, headers });
  };

  // The status line names the battle to remember. On a phone, scroll to the line that names the models.
  let focused = false;
  new MutationObserver(() => {
    const line = document.querySelector("#notice [data-battle]");
    if (!line) return;
    const id = line.dataset.battle;
    id ? sessionStorage.setItem(BATTLE, id) : sessionStorage.removeItem(BATTLE);
    if (!id && !focused) document.querySelector("#prompt textarea")?.focus(); // with a battle, the keys are for voting
    focused = true;
    if (line.matches(".reveal")) line.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }).observe(document, { subtree: true, childList: true });

  // The server breaks HTML, images and diagrams of a text with word joiners (chat_markdown.py): neither readers nor copies
  // get them. Only text changes here, so nothing comes alive.
  const JOINERS = /\u2060/g;
  new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
      if (!target.closest?.(".chat")) continue;
      for (const added of addedNodes) {
        const texts = document.createTreeWalker(added, NodeFilter.SHOW_TEXT);
        for (let text = texts.currentNode; text; text = texts.nextNode())
          if (text.nodeType === Node.TEXT_NODE && text.data.includes("\u2060")) text.data = text.data.replace(JOINERS, "");
      }
    }
  }).observe(document, { subtree: true, childList: true });
  const write = navigator.clipboard?.writeText.bind(navigator.clipboard);
  if (write) navigator.clipboard.writeText = (text) => write(text.replace(JOINERS, ""));
  document.addEventListener("copy", (event) => { // without HTTPS, Gradio copies from a text box
    const { value, selectionStart, selectionEnd } = event.target;
    if (!value?.includes("\u2060")) return;
    event.clipboardData.setData("text/plain", value.slice(selectionStart, selectionEnd).replace(JOINERS, ""));
    event.preventDefault();
  });

  // No label in an answer presses a button elsewhere.
  document.addEventListener("click", (event) => { if (event.target.closest(".chat label")) event.preventDefault(); }, true);

  // After a prompt is sent, the keys are for voting.
  const blur = () => setTimeout(() => document.activeElement?.blur());
  document.addEventListener("click", (event) => { if (event.target.closest("#send")) blur(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.closest("#prompt")) blur();
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const at = event.target;
    if (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
    const winner = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const button = winner && document.querySelector(`#votes > button#vote-${winner}`);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  });

  let boot = null;
  const say = (text) => {
    let banner = document.getElementById("unreachable");
    if (!text) { banner?.remove(); return; }
    if (!banner) {
      banner = document.createElement("div");
      banner.id = "unreachable";
      banner.setAttribute("role", "alert");
      document.body.append(banner);
    }
    banner.textContent = text;
  };
  const look = async () => {
    try {
      const reply = await fetch("/healthz", { cache: "no-store" });
      if (!reply.ok && reply.status !== 503) throw new Error(reply.status);
      const state = await reply.json();
      const now = state.boot;
      if (!now) throw new Error(reply.status); // a proxy's own reply
      if (boot && boot !== now) { location.reload(); return; } // the arena restarted: load its current state
      boot = now;
      say(reply.ok ? "" : "The arena cannot save anything at the moment. This page continues when it can.");
    } catch {
      say("The arena cannot be reached. Your votes are saved; this page continues when the arena is back.");
    }
  };
  setInterval(() => { if (!document.hidden) look(); }, POLL);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  look();
})();
