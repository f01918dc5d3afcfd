// Texts of the scripts in the page's language. English is in the scripts; the page embeds the translations they use.
const t = (() => {
  const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
  // t("Try again in {seconds} s.", { seconds: 5 })
  return (text, values) => (texts[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values?.[name] ?? whole);
})();
