// The check that a visitor is a person, before a battle: proof of work in a worker, or the widget of a third party.
import { Problem } from "./api.js";
import { button, el, find } from "./dom.js";
import { changed, state } from "./state.js";

const ATTEMPTS = 3; // a phone that slept may answer too late
const SCRIPT_PATIENCE = 20_000; // milliseconds for the script of a third party

/** Runs `begin(answer)`, solving each challenge that it meets. */
export async function withAnswer(begin) {
  let answer;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await begin(answer);
    } catch (error) {
      if (!error.challenge || attempt > ATTEMPTS) throw error;
      answer = await answerTo(error.challenge);
    }
  }
}

function answerTo(challenge) {
  return challenge.kind === "proof_of_work" ? solved(challenge) : asked(challenge);
}

const checkFailed = () => new Problem("challenge_failed", t("The check that you are a person did not work in this browser. Reload the page and try again."));

/** Solves a proof of work; how far it is stands in `state.checking`, from 0 to 1. */
async function solved({ salt, target, most, token }) {
  const worker = new Worker(find("#composer").dataset.worker);
  setChecking(0);
  try {
    const number = await new Promise((resolve, reject) => {
      worker.onerror = () => reject(checkFailed());
      worker.onmessage = ({ data }) => ("number" in data ? resolve(data.number) : setChecking(data.tried / most));
      worker.postMessage({ salt, target, most });
    });
    if (number === null) throw checkFailed();
    return `${token}.${number}`;
  } finally {
    worker.terminate();
    setChecking(null);
  }
}

function setChecking(share) {
  state.checking = share;
  changed();
}

/** The answer of a third party, in a dialog that the visitor can close. */
async function asked({ kind, site_key: siteKey, script }) {
  const provider = await loaded(kind, script);
  if (kind === "recaptcha_v3") {
    await new Promise((resolve) => { provider.ready(resolve); });
    return provider.execute(siteKey, { action: "battle" });
  }
  const place = el("div", { class: "challenge-place" }), dialog = find("#challenge");
  const title = el("h2", { id: "challenge-title" }, t("Are you a person?"));
  dialog.replaceChildren(title, place, button(t("Cancel"), () => dialog.close()));
  dialog.showModal();
  try {
    return await new Promise((resolve, reject) => {
      dialog.onclose = () => reject(new Problem("challenge_required", t("No battle begins without the check that you are a person.")));
      const on = { sitekey: siteKey, callback: resolve, "error-callback": () => reject(checkFailed()) };
      const render = () => provider.render(place, on);
      provider.ready ? provider.ready(render) : render();
    });
  } finally {
    dialog.onclose = null;
    dialog.close();
  }
}

const NAMES = { turnstile: "turnstile", hcaptcha: "hcaptcha", recaptcha: "grecaptcha", recaptcha_v3: "grecaptcha" };

/** The object that the script of a third party defines; the script is loaded once. */
async function loaded(kind, script) {
  const name = NAMES[kind];
  if (!window[name]) {
    await new Promise((resolve, reject) => {
      setTimeout(() => reject(checkFailed()), SCRIPT_PATIENCE);
      document.head.append(el("script", { src: script, onload: resolve, onerror: () => reject(checkFailed()) }));
    });
  }
  if (!window[name]) throw checkFailed();
  return window[name];
}
