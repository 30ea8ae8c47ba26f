// What every face shares: drafts, one submit only, keys, theme, position. No framework.

function keeper(place) {
  return {
    get(key) { try { return place().getItem(key); } catch { return null; } },
    set(key, value) { try { place().setItem(key, value); } catch { /* private mode: nothing to keep it in */ } },
    remove(key) { try { place().removeItem(key); } catch { /* as above */ } },
  };
}
const store = keeper(() => localStorage);
const brief = keeper(() => sessionStorage);

// Theme: follows the machine until someone chooses.
const chosen = store.get("lx-theme");
if (chosen) document.documentElement.dataset.theme = chosen;
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-theme-set]");
  if (!button) return;
  const dark = document.documentElement.dataset.theme === "dark" ||
    (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "light" : "dark";
  store.set("lx-theme", document.documentElement.dataset.theme);
});

function say(text) {
  let toast = document.getElementById("lx-toast");
  if (!toast) {
    toast = document.createElement("div");
    toast.id = "lx-toast";
    toast.className = "lx-toast";
    toast.setAttribute("role", "status");
    document.body.append(toast);
  }
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { toast.hidden = true; }, 6000);
}

// Forms that hold a caller's name and number (data-draft-private) are kept for this window only.
function shelf(form) { return "draftPrivate" in form.dataset ? brief : store; }
// Drafts: what is typed into a form with data-draft is kept until the server has taken it.
function fields(form) {
  return [...form.elements].filter((e) => e.name && !["hidden", "file", "password", "submit", "button"].includes(e.type)
    && !e.hasAttribute("data-no-draft"));
}
function keep(form) {
  const values = {};
  for (const e of fields(form)) {
    if (e.type === "checkbox" || e.type === "radio") { if (e.checked) values[`${e.name}=${e.value}`] = true; }
    else if (e.value !== e.defaultValue || e.tagName === "SELECT") values[e.name] = e.value;
  }
  shelf(form).set(`lx-draft:${form.dataset.draft}`, JSON.stringify(values));
}
function drop(name) { store.remove(`lx-draft:${name}`); brief.remove(`lx-draft:${name}`); }
function restore(form) {
  const kept = shelf(form).get(`lx-draft:${form.dataset.draft}`);
  if (!kept || form.dataset.restored) return;
  form.dataset.restored = "1";
  let changed = false;
  const values = JSON.parse(kept);
  for (const e of fields(form)) {
    if (e.type === "checkbox" || e.type === "radio") {
      if (values[`${e.name}=${e.value}`]) { e.checked = true; }
    } else if (values[e.name] !== undefined && values[e.name] !== e.value && e.value === e.defaultValue) {
      e.value = values[e.name];
      if (e.tagName !== "SELECT") changed = true;
    }
  }
  if (changed) {
    const line = form.querySelector("[data-draft-restored]");
    if (line) line.hidden = false;
    form.dispatchEvent(new CustomEvent("lx:restored", { bubbles: true }));
  }
}
function wire(root) {
  for (const done of root.querySelectorAll("[data-draft-done]")) drop(done.dataset.draftDone);
  for (const form of root.querySelectorAll("form[data-draft]")) restore(form);
  for (const focus of root.querySelectorAll("[data-focus]")) focus.focus();
}
let pending;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || !form.dataset.draft) return;
  clearTimeout(pending);
  pending = setTimeout(() => keep(form), 150);
});
window.addEventListener("pagehide", () => document.querySelectorAll("form[data-draft]").forEach(keep));

// One submit only: a second click finds the button asleep; the form's own key makes a repeat harmless anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) { event.preventDefault(); return; }
  if (form.dataset.draft) keep(form);
  if (form.dataset.sent) { event.preventDefault(); return; }
  if (form.method === "post" && !form.hasAttribute("hx-post")) {
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  }
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => delete f.dataset.sent));

// Keys: [data-key="a"] is pressed by that key when nobody is typing; F-keys and Ctrl work while typing too.
function typing(target) { return target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"); }
function shown(element) { return element.offsetParent !== null || getComputedStyle(element).position === "fixed"; }
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const name = (event.ctrlKey || event.metaKey ? "ctrl+" : "") + event.key.toLowerCase();
  const functional = /^f\d+$/.test(name) || name.startsWith("ctrl+");
  if (typing(event.target) && !functional) {
    if (name === "escape") event.target.blur();
    return;
  }
  if (name === "?") { document.getElementById("lx-keys")?.showModal(); event.preventDefault(); return; }
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].filter((e) => shown(e) && !e.hidden);
  // Of two forms that listen to one key, the one being typed into is meant.
  const meant = found.find((e) => e.form && e.form === event.target.form) ?? found[0];
  if (meant) {
    event.preventDefault();
    if (meant.matches("input, textarea, select")) meant.focus(); else meant.click();
  }
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
});

// Position of the device, on request only.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-locate]");
  if (!button) return;
  const form = button.form || button.closest("form");
  const line = form.querySelector("[data-locate-text]");
  if (!navigator.geolocation) { line.textContent = button.dataset.refused; return; }
  line.textContent = button.dataset.waiting;
  navigator.geolocation.getCurrentPosition((position) => {
    form.elements.lon.value = position.coords.longitude.toFixed(6);
    form.elements.lat.value = position.coords.latitude.toFixed(6);
    line.textContent = button.dataset.done.replace("%s", Math.round(position.coords.accuracy));
    form.dispatchEvent(new CustomEvent("lx:located"));
  }, () => { line.textContent = button.dataset.refused; }, { enableHighAccuracy: true, timeout: 15000 });
});
// A file control in the page's own language: the browser's lies over it unseen and takes clicks, keys and files dropped.
document.addEventListener("change", (event) => {
  const names = event.target.parentElement?.querySelector("[data-file-names]");
  if (!names) return;
  const chosen = [...event.target.files].map((file) => file.name);
  names.textContent = chosen.length ? names.dataset.fileNames.replace("%s", chosen.join(names.dataset.between)) : "";
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-print]");
  if (button) window.print();
});

// For the faces' own scripts. Not by import: their files carry a hash in their names, which an import would miss and
// so run this file twice.
window.lianxin = { say, keep, typing, shown };

wire(document);
document.addEventListener("htmx:afterSwap", (event) => wire(event.target));
// A fault that comes as a whole page is told in one line; what was typed stays in its form and its draft.
function told(xhr) {
  const text = xhr.responseText ?? "";
  if (!/^\s*<!doctype/i.test(text)) return "";
  const page = new DOMParser().parseFromString(text, "text/html");
  return [...page.querySelectorAll(".portal-lead, .portal-lead + p:not(:has(a))")].map((e) => e.textContent.trim()).join(" ");
}
document.addEventListener("htmx:responseError", (event) => {
  say(told(event.detail.xhr) || document.body.dataset.failed);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // Answers that explain a fault are shown in place of the form, with what was typed.
  const { xhr } = event.detail;
  if ([403, 404, 409, 413, 422, 429].includes(xhr.status) && !/^\s*<!doctype/i.test(xhr.responseText ?? "")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline));
