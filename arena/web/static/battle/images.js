// Images of a prompt: chosen, pasted or dropped; uploaded at once, sent by id.
import { api } from "./api.js";
import { el, find, show } from "./dom.js";
import { readsImages } from "./modes.js";
import { changed, state, subscribe } from "./state.js";
import { tell } from "./tell.js";

const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];

const attached = []; // {id, url, name}

export const attachedImages = () => attached.filter(({ id }) => id).map(({ id }) => id);

/** Whether a prompt sent now would lack an image. */
export const isUploading = () => attached.some(({ id }) => !id);

export function clearImages() {
  for (const { url } of attached) URL.revokeObjectURL(url);
  attached.length = 0;
  drawAttached();
}

async function add(files) {
  for (const file of [...files].filter(({ type }) => type.startsWith("image/"))) {
    const reason = refusal(file);
    if (reason) { tell(reason); continue; }
    const image = { id: null, url: URL.createObjectURL(file), name: file.name || t("Image") };
    attached.push(image);
    drawAttached();
    try {
      image.id = (await api.upload(file)).id;
    } catch (error) {
      attached.splice(attached.indexOf(image), 1);
      tell(error.message);
    }
    drawAttached();
  }
}

function refusal(file) {
  const { images, image_bytes: most } = state.facts?.limits ?? {};
  if (!readsImages()) return t("These models do not read images, or this prompt cannot have one.");
  if (attached.length >= images) return t("A prompt has at most {most} images. Remove some of them.", { most: images });
  if (!TYPES.includes(file.type)) return t("This type of image is not read. Choose a PNG, JPEG, WebP or GIF file.");
  if (most && file.size > most) return t("This image is too large. Choose one of at most {size} MB.", { size: (most / 1e6).toFixed(1) });
  return null;
}

function remove(image) {
  attached.splice(attached.indexOf(image), 1);
  URL.revokeObjectURL(image.url);
  drawAttached();
  find("#prompt").focus();
}

function drawAttached() {
  changed();
  const root = find("#attached");
  show(root, attached.length > 0);
  root.replaceChildren(...attached.map((image) => el("span", { class: image.id ? "thumb" : "thumb loading" },
    el("img", { src: image.url, alt: image.name }),
    el("button", { type: "button", class: "icon-button", "aria-label": t("Remove {name}", { name: image.name }), onclick: () => remove(image) }, "×"))));
}

export function startImages() {
  const file = find("#file"), composer = find("#composer");
  find("#attach").addEventListener("click", () => file.click());
  file.addEventListener("change", () => { add(file.files); file.value = ""; });
  find("#prompt").addEventListener("paste", (event) => {
    if ([...event.clipboardData.files].length) { event.preventDefault(); add(event.clipboardData.files); }
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      composer.classList.add("dropping");
    });
  }
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => composer.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  subscribe(() => show(find("#attach"), readsImages()));
}
