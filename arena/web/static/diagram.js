// Inside the sandboxed frame of one diagram: draws what the page sends, and answers with the height.
(() => {
  const answer = (message) => parent.postMessage(message, "*");
  const place = document.getElementById("diagram");
  let number = 0;

  addEventListener("message", async (event) => {
    if (event.source !== parent || typeof event.data?.source !== "string") return;
    document.documentElement.className = event.data.dark ? "dark" : "";
    try {
      mermaid.initialize({ startOnLoad: false, securityLevel: "strict", htmlLabels: false, flowchart: { htmlLabels: false },
        theme: event.data.dark ? "dark" : "neutral", maxTextSize: 5000, maxEdges: 300, suppressErrorRendering: true,
        fontFamily: "system-ui, sans-serif" });
      const { svg } = await mermaid.render(`drawing${++number}`, event.data.source);
      place.innerHTML = svg;
      answer({ height: Math.ceil(place.getBoundingClientRect().height) + 24 });
    } catch {
      answer({ failed: true });
    }
  });
  answer(window.mermaid ? { ready: true } : { failed: true });
})();
