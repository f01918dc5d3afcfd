// Copies text. A button with data-copy="ID" copies the text of the element ID; its label is data-copied for two seconds.
const copyText = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or plain http: the older interface
    const box = document.createElement("textarea"), focused = document.activeElement;
    box.style.cssText = "position: fixed; opacity: 0";
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
    focused?.focus({ preventScroll: true });
  }
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await copyText(document.getElementById(button.dataset.copy).textContent.trim());
  button.dataset.label ??= button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
});
