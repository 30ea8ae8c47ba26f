// Reading a site's QR code with the camera: by the browser where it can, else by a library, which telephones without Google's
// services need. Where there is no camera, or it is refused, the letters under the picture are typed.

import { button, fresh, h } from "./dom.js";
import { w } from "./words.js";

const EVERY = 200; // milliseconds between two looks
const WIDE = 640; // pixels that the library looks at

async function reader() {
  try {
    if ((await globalThis.BarcodeDetector?.getSupportedFormats())?.includes("qr_code")) {
      const detector = new globalThis.BarcodeDetector({ formats: ["qr_code"] });
      return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
    }
  } catch { /* named, but not there: the library reads */ }
  const { decodeQR } = await import("./vendor/qr/decode.js");
  const canvas = h("canvas", {}), brush = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const scale = Math.min(1, WIDE / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    brush.drawImage(video, 0, 0, canvas.width, canvas.height);
    try { return decodeQR(brush.getImageData(0, 0, canvas.width, canvas.height)); } catch { return null; } // no code in this picture
  };
}

// What a code says: `site` is known where the QR code was read, not where its letters were typed.
export function codeOf(text) {
  const read = String(text).trim(), qr = /^LX1:([^:]{1,40}):([0-9A-Za-z-]{10,12})$/.exec(read);
  if (qr) return { code: read, site: qr[1] };
  const letters = read.toUpperCase().replace(/[\s-]/g, "");
  return /^[0-9A-Z]{10}$/.test(letters) ? { code: letters, site: "" } : null;
}

// Asks for a code over the page; resolves to {code, site}, or null when it was closed.
export function scan() {
  return new Promise((done) => {
    const heading = fresh("scan"), typed = fresh("code"), fault = h("p", { class: "f-error", id: `${typed}-error`, role: "alert" });
    const video = h("video", { muted: true, playsInline: true, class: "f-scan", hidden: true, "aria-hidden": "true" });
    const told = h("p", { class: "f-help", role: "status" }, w("scan.opening"));
    const letters = h("input", { id: typed, type: "text", autocomplete: "off", autocapitalize: "characters", spellcheck: false, maxLength: 60, "aria-describedby": fault.id });
    let stream, timer, found = null, over = false;
    const end = () => { over = true; clearTimeout(timer); stream?.getTracks().forEach((track) => track.stop()); };
    const take = (text) => {
      found = codeOf(text);
      fault.textContent = found ? "" : w("scan.not_a_code");
      if (found) dialog.close();
      return Boolean(found);
    };
    const dialog = h("dialog", { class: "f-dialog", "aria-labelledby": heading, onclose: () => { end(); dialog.remove(); done(found); } },
      h("h2", { id: heading }, w("scan.title")), video, told,
      h("form", { method: "dialog", class: "f-field", onsubmit: (event) => { event.preventDefault(); if (!take(letters.value)) letters.focus(); } },
        h("label", { htmlFor: typed }, w("scan.letters")), letters, fault,
        h("div", { class: "f-row" }, h("button", { class: "f-button primary" }, w("scan.take")), button(w("scan.close"), { onclick: () => dialog.close() }))));
    document.body.append(dialog);
    dialog.showModal();
    (async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
        if (over) { end(); return; }
        video.srcObject = stream;
        await video.play();
      } catch { if (!over) { told.textContent = w("scan.no_camera"); letters.focus(); } return; }
      const look = await reader();
      video.hidden = false;
      told.textContent = w("scan.hold");
      const again = async () => {
        if (over) return;
        const text = video.videoWidth ? await look(video).catch(() => null) : null;
        if (over || (text && take(text))) return;
        timer = setTimeout(again, EVERY);
      };
      again();
    })();
  });
}
