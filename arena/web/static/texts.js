// Texts of the scripts in the page's language. English is in the scripts; the page embeds the translations they use.
const { t, tn } = (() => {
  const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values?.[name] ?? whole);
  const plural = new Intl.PluralRules(document.documentElement.lang || "en");
  return {
    // t("Try again in {seconds} s.", { seconds: 5 })
    t: (text, values) => filled(texts[text] ?? text, values),
    // tn("{votes} vote", "{votes} votes", 5, { votes: "5" }): the form for a number; a translation has one for each category
    tn: (single, many, number, values) => {
      const form = plural.select(number), translated = texts[single];
      return filled(translated ? translated[form] ?? translated.other : form === "one" ? single : many, values);
    },
  };
})();
