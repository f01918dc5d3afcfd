// The dialog that reports an answer to the operator.
import { report } from "./actions.js";
import { button, el, find, write } from "./dom.js";
import { state } from "./state.js";
import { tell } from "./tell.js";

const REPORT_KINDS = () => [
  ["illegal", t("It is illegal")],
  ["personal", t("It contains personal information")],
  ["hateful", t("It is hateful or violent")],
  ["broken", t("It is broken or unreadable")],
  ["other", t("Something else")],
];

export function askReport() {
  const dialog = find("#report");
  const text = el("textarea", { id: "report-text", rows: 3, maxlength: 2000, dir: "auto" });
  const kinds = REPORT_KINDS().map(([value, name], at) => el("label", { class: "tick" },
    el("input", { type: "radio", name: "kind", value, checked: at === 0 }), name));
  const line = el("p", { class: "hint", role: "alert" });
  const form = el("form", { method: "dialog" },
    el("h2", { id: "report-title" }, t("Report this battle")),
    el("fieldset", {}, el("legend", {}, t("What is wrong?")), ...kinds),
    el("label", { class: "field", for: "report-text" }, t("Details (optional)"), text), line,
    el("div", { class: "buttons" }, button(t("Cancel"), () => dialog.close(), "button quiet"),
      el("button", { type: "submit", class: "button primary" }, t("Send the report"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { kind: new FormData(form).get("kind"), ...(text.value.trim() ? { text: text.value.trim() } : {}) };
    if (await report(body)) {
      dialog.close();
      tell(t("Thank you. The operator will read your report."));
    } else {
      write(line, state.problem?.error.message ?? "");
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}
