// Images of a prompt: chosen, pasted or dropped; uploaded at once, sent by id.
import { api } from "./api.js";
import { focusComposer } from "./composer.js";
import { el, find, show } from "./dom.js";
import { readsImages } from "./modes.js";
import { changed, state, subscribe } from "./state.js";
import { announce, tell } from "./tell.js";

const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"];
const LONGEST = 2048; // pixels of a side: the arena keeps no more

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
  for (const chosen of files) {
    const file = await scaled(chosen), reason = refusal(file);
    if (reason) { tell(reason); continue; }
    const image = { id: null, url: URL.createObjectURL(file), name: chosen.name || t("Image") };
    attached.push(image);
    drawAttached();
    try {
      image.id = (await api.upload(file)).id;
      announce(t("{name} is attached.", { name: image.name }));
    } catch (error) {
      attached.splice(attached.indexOf(image), 1);
      tell(error.message);
    }
    drawAttached();
  }
}

/** The photo of a phone is often larger than the arena takes: it is made as small as the arena would keep it. */
async function scaled(file) {
  const most = state.facts?.limits?.image_bytes;
  if (!most || file.size <= most || !TYPES.includes(file.type)) return file;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return file; // the arena says what is wrong
  const share = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = el("canvas", { width: Math.round(picture.width * share), height: Math.round(picture.height * share) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9)) ?? file;
}

function refusal(file) {
  const { images, image_bytes: most } = state.facts?.limits ?? {};
  if (!readsImages()) return t("These models do not read images, or this prompt cannot have one.");
  if (attached.length >= images) return tn("A prompt has at most {most} image. Remove the other one.", "A prompt has at most {most} images. Remove some of them.", images, { most: images });
  if (!TYPES.includes(file.type)) return t("This type of image is not read. Choose a PNG, JPEG, WebP or GIF file.");
  if (most && file.size > most) return t("This image is too large. Choose one of at most {size} MB.", { size: (most / 1e6).toFixed(1) });
  return null;
}

function remove(image) {
  attached.splice(attached.indexOf(image), 1);
  URL.revokeObjectURL(image.url);
  drawAttached();
  announce(t("{name} is removed.", { name: image.name }));
  focusComposer();
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
