// Light, dark or as the system: set before the first paint, kept in this browser, switched by the button in the header.
(() => {
  const KEY = "arena-theme", CHOICES = ["system", "light", "dark"];
  const root = document.documentElement, system = matchMedia("(prefers-color-scheme: dark)");
  let memory = null; // where the browser stores nothing
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return memory; } };
  const choice = () => (CHOICES.includes(stored()) ? stored() : "system");

  function apply() {
    root.dataset.themeChoice = choice();
    root.dataset.theme = choice() === "system" ? (system.matches ? "dark" : "light") : choice();
    document.body?.classList.toggle("dark", root.dataset.theme === "dark"); // Gradio's own parts
    for (const button of document.querySelectorAll(".theme-switch")) {
      button.title = button.dataset[choice()] ?? "";
      button.setAttribute("aria-label", button.title);
    }
    document.dispatchEvent(new Event("themechange"));
  }

  apply();
  document.addEventListener("DOMContentLoaded", apply);
  system.addEventListener("change", apply);
  addEventListener("storage", (event) => { if (event.key === KEY) apply(); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".theme-switch")) return;
    memory = CHOICES[(CHOICES.indexOf(choice()) + 1) % CHOICES.length];
    try { localStorage.setItem(KEY, memory); } catch { /* kept until the page is left */ }
    apply();
  });
})();
