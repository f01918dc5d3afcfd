// Texts of the scripts in the page's language. English is in the scripts; the page embeds the translations they use.
const [t, tn] = (() => {
  const texts = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
  const language = document.documentElement.lang || "en";
  const rules = new Intl.PluralRules(language);
  const categories = ["zero", "one", "two", "few", "many", "other"].filter((name) =>
    rules.resolvedOptions().pluralCategories.includes(name)); // gettext numbers the forms in this order
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values?.[name] ?? whole);

  // t("Try again in {seconds} s.", { seconds: 5 })
  const t = (text, values) => filled(texts[text] ?? text, values);

  // tn("{count} vote", "{count} votes", 3): the form for a number
  const tn = (single, plural, count, values) => {
    const forms = texts[single] ?? [single, plural];
    const form = texts[single] ? categories.indexOf(rules.select(count)) : Number(count !== 1);
    const shown = { count: count.toLocaleString(language), ...values };
    return filled(forms[Math.min(form, forms.length - 1)], shown);
  };
  return [t, tn];
})();
