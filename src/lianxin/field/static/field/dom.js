// Elements, icons and small habits that every screen shares. No framework: a screen builds its elements and is thrown away.

import "./look.js";

const SVG = "http://www.w3.org/2000/svg";

// `h("p", { class: "x", onclick: run, "aria-label": "…" }, "text", element, [more], null)`; null and false are left out.
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && !name.includes("-") && !["list", "form", "role", "type"].includes(name)) element[name === "class" ? "className" : name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  return put(element, ...children);
}
export function put(element, ...children) {
  element.append(...children.flat(3).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

// Shapes, so that no state is told by colour alone. 24 × 24, drawn with the colour of the text.
const SHAPES = {
  today: "M4 6h16v14H4zM4 10h16M8 3v5M16 3v5M8 15l2.5 2.5L16 13",
  camera: "M3 8h4l2-3h6l2 3h4v12H3zM12 10a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
  map: "M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14",
  unsent: "M12 15V3M7 8l5-5 5 5M4 14v7h16v-7",
  sent: "M4 13l5 5L20 6",
  waiting: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v5l4 2",
  sending: "M5 12h13M13 6l6 6-6 6",
  conflict: "M12 3L2 21h20zM12 9v6M12 18v.5",
  refused: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M7 7l10 10",
  offline: "M3 3l18 18M5 12a10 10 0 0 1 5-2.7M19 12a10 10 0 0 0-4-2.4M9 16a5 5 0 0 1 6 0M12 20v.5",
  online: "M2 9a15 15 0 0 1 20 0M5 13a10 10 0 0 1 14 0M9 17a5 5 0 0 1 6 0M12 20v.5",
  back: "M15 5l-7 7 7 7", up: "M12 19V5M6 11l6-6 6 6", down: "M12 5v14M6 13l6 6 6-6", left: "M19 12H5M11 6l-6 6 6 6", right: "M5 12h14M13 6l6 6-6 6",
  pin: "M12 21s-7-6.5-7-12a7 7 0 0 1 14 0c0 5.5-7 12-7 12M12 6.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  here: "M12 2v4M12 18v4M2 12h4M18 12h4M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10",
  voice: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3M5 11a7 7 0 0 0 14 0M12 18v3",
  stop: "M6 6h12v12H6z", call: "M5 4h4l2 5-3 2a12 12 0 0 0 5 5l2-3 5 2v4c-9 2-17-6-15-15", late: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7v6M12 16v.5",
  next: "M9 5l7 7-7 7", remove: "M5 5l14 14M19 5L5 19", settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 4.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 14.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
};
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "f-icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

export const button = (label, props, shape) => h("button", { type: "button", ...props, class: `f-button ${props?.class ?? ""}` }, shape && icon(shape), h("span", {}, label));
export const link = (label, href, props, shape) => h("a", { href, ...props, class: `f-button ${props?.class ?? ""}` }, shape && icon(shape), h("span", {}, label));
export const notice = (kind, ...children) => h("div", { class: `f-notice ${kind}` }, children);
export const paragraphs = (text) => String(text ?? "").split(/\n+/).filter(Boolean).map((one) => h("p", {}, one));

let count = 0;
export const fresh = (prefix) => `${prefix}-${count += 1}`;

// A labelled control; `fault(words)` shows what is wrong with it and leads there.
export function field(label, control, help) {
  const id = control.id ||= fresh("f"), error = h("p", { class: "f-error", id: `${id}-error`, hidden: true });
  const hint = help && h("p", { class: "f-help", id: `${id}-help` }, help);
  control.setAttribute("aria-describedby", [hint && `${id}-help`, `${id}-error`].filter(Boolean).join(" "));
  const element = h("div", { class: "f-field" }, h("label", { htmlFor: id }, label), hint, control, error);
  return Object.assign(element, { control, fault: (words) => {
    error.textContent = words ?? "";
    error.hidden = !words;
    if (words) { control.setAttribute("aria-invalid", "true"); control.focus(); } else control.removeAttribute("aria-invalid");
  } });
}

// One of a few, as big tiles over radio buttons: `choices` [[value, label, help]].
export function choice(legend, name, choices, chosen, changed, look = "") {
  const group = fresh(name);
  return h("fieldset", { class: `f-choice ${look}` }, h("legend", {}, legend), choices.map(([value, label, help]) => h("label", {},
    h("input", { type: "radio", name: group, value, checked: value === chosen, onchange: () => changed(value) }),
    h("span", {}, h("strong", {}, label), help && h("small", {}, help)))));
}

// What happened, said once at the bottom and to readers of the screen.
export function say(text) {
  let toast = document.getElementById("f-toast");
  if (!toast) document.body.append(toast = h("div", { id: "f-toast", class: "f-toast", role: "status" }));
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { toast.hidden = true; }, 5000);
}

// A question over the page: resolves to the value of the button that was pressed, null when it was closed.
export function ask(title, body, buttons) {
  return new Promise((done) => {
    const heading = fresh("ask");
    const dialog = h("dialog", { class: "f-dialog", "aria-labelledby": heading, onclose: () => { dialog.remove(); done(dialog.returnValue || null); } },
      h("h2", { id: heading }, title), body,
      h("div", { class: "f-row" }, buttons.map(([value, label, look]) => button(label, { class: look, onclick: () => dialog.close(value) }))));
    document.body.append(dialog);
    dialog.showModal();
  });
}
