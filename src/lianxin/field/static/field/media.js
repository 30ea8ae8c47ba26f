// Photos and voices, made small on the telephone. Redrawing a photo leaves behind all its metadata: place, device, thumbnail.

import { button, h, say } from "./dom.js";
import { w } from "./words.js";

export const LONGEST = 1600, QUALITY = 0.8, SECONDS = 60;

// A JPEG of at most 1600 pixels on its long side. Throws when the file is no picture that this browser can read.
export async function shrink(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const canvas = h("canvas", { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) });
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff"; // what is transparent would be black in a JPEG
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const made = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", QUALITY); });
  canvas.width = canvas.height = 0; // cheap telephones are slow to give the memory back
  if (!made) throw new Error("no JPEG");
  return made;
}

// The camera: asks for a photo and resolves to it, made small; null when nobody took one. Must be called from a tap or key.
export function camera() {
  return new Promise((done) => {
    const input = h("input", { type: "file", accept: "image/*", capture: "environment", class: "f-hidden", tabIndex: -1, "aria-hidden": "true", data: { camera: "" } });
    const finish = (photo) => { input.remove(); done(photo); };
    input.addEventListener("change", async () => {
      if (!input.files.length) { finish(null); return; }
      try { finish(await shrink(input.files[0])); } catch { say(w("photo.unreadable")); finish(null); }
    });
    input.addEventListener("cancel", () => finish(null));
    document.querySelectorAll("input[data-camera]").forEach((old) => old.remove());
    document.body.append(input);
    input.click();
  });
}

// A strip of photos of one role with its button. `held` is the array of blobs that the draft keeps; `changed` is told.
export function photos(held, { label, limit = 5, changed }) {
  const strip = h("ul", { class: "f-photos" }), take = button(label, { class: "wide", onclick: async () => add(await camera()) }, "camera");
  const urls = [];
  const draw = () => {
    urls.splice(0).forEach((url) => URL.revokeObjectURL(url));
    strip.replaceChildren(...held.map((blob, at) => {
      const url = URL.createObjectURL(blob);
      urls.push(url);
      return h("li", {}, h("img", { src: url, alt: w("photo.number", { n: String(at + 1) }) }),
        button(w("photo.remove", { n: String(at + 1) }), { class: "remove", onclick: () => { held.splice(at, 1); draw(); changed(); take.focus(); } }, "remove"));
    }));
    // The camera is wide until there is a photo, then one more tile of the strip. Moving it would drop the focus.
    const focused = document.activeElement === take;
    if (held.length) strip.append(h("li", { hidden: held.length >= limit }, take)); else box.append(take);
    strip.hidden = !held.length;
    if (focused && held.length < limit) take.focus({ preventScroll: true });
  };
  const add = (photo) => { if (photo && held.length < limit) { held.push(photo); draw(); changed(); } };
  const box = h("div", { class: "f-photobox" }, strip);
  draw();
  return Object.assign(box, { add, take, draw });
}

const RECORDED = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
// A voice note of at most a minute, heard again before it goes. `held` keeps none or one blob.
export function voice(held, changed) {
  const box = h("div", { class: "f-voice" });
  if (!globalThis.MediaRecorder || !navigator.mediaDevices) return box;
  let recorder, timer, url;
  const stop = () => { if (recorder?.state === "recording") recorder.stop(); };
  const record = async () => {
    let stream;
    try { stream = await navigator.mediaDevices.getUserMedia({ audio: true }); } catch { say(w("voice.refused")); return; }
    const type = RECORDED.find((one) => MediaRecorder.isTypeSupported(one)), pieces = [];
    recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 24_000 });
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(timer);
      stream.getTracks().forEach((track) => track.stop());
      held.splice(0, 1, new Blob(pieces, { type: (type ?? pieces[0]?.type ?? "").split(";")[0] }));
      changed();
      if (box.isConnected) draw(true);
    };
    recorder.start(1000);
    const end = button(w("voice.stop", { n: SECONDS }), { class: "wide recording", onclick: stop }, "stop"), begun = Date.now();
    timer = setInterval(() => {
      const left = SECONDS - Math.floor((Date.now() - begun) / 1000);
      end.lastChild.textContent = w("voice.stop", { n: Math.max(0, left) });
      if (left <= 0 || !box.isConnected) stop(); // leaving the screen ends the recording, and keeps it
    }, 250);
    box.replaceChildren(end);
    end.focus();
  };
  const draw = (focus) => {
    if (url) URL.revokeObjectURL(url);
    const again = button(held.length ? w("voice.again") : w("voice.record"), { class: "wide", onclick: record }, "voice");
    if (held.length) {
      url = URL.createObjectURL(held[0]);
      box.replaceChildren(h("audio", { controls: true, src: url, "aria-label": w("voice.yours") }),
        h("div", { class: "f-row" }, again, button(w("voice.remove"), { class: "quiet", onclick: () => { held.length = 0; draw(true); changed(); } }, "remove")));
    } else box.replaceChildren(again);
    if (focus) again.focus();
  };
  draw();
  return box;
}
