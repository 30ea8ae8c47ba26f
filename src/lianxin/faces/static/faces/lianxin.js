// What every face shares: drafts, one submit only, keys, theme, the live line, list and preview. No framework.

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

export function say(text) {
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

// Keys: [data-key="a"] is pressed by that key when nobody is typing; F-keys work while typing too.
function typing(target) { return target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]"); }
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey) return;
  const name = (event.ctrlKey || event.metaKey ? "ctrl+" : "") + event.key.toLowerCase();
  const functional = /^f\d+$/.test(name) || name.startsWith("ctrl+");
  if (name === "escape") {
    const away = document.querySelector("[data-key=escape]");
    if (typing(event.target)) event.target.blur(); else if (away) away.click();
    return;
  }
  if (typing(event.target) && !functional) return;
  if (name === "?" ) { document.getElementById("lx-keys")?.showModal(); event.preventDefault(); return; }
  if (name === "j" || name === "k") { move(name === "j" ? 1 : -1); event.preventDefault(); return; }
  if (name === "enter" && !typing(event.target) && !event.target.closest("a, button")) {
    document.querySelector("[data-rows] [aria-selected=true] a.number")?.click();
    return;
  }
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(name)}"]`)].filter((e) => e.offsetParent !== null);
  if (found.length) {
    event.preventDefault();
    if (found[0].matches("input, textarea, select")) found[0].focus(); else found[0].click();
  }
});

// List and preview: j and k move, the preview follows.
function move(step) {
  const rows = [...document.querySelectorAll("[data-rows] [data-preview]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  select(rows[Math.min(Math.max(at + step, 0), rows.length - 1)]);
}
function select(row) {
  document.querySelectorAll("[data-rows] [aria-selected=true]").forEach((other) => other.setAttribute("aria-selected", "false"));
  row.setAttribute("aria-selected", "true");
  row.scrollIntoView({ block: "nearest" });
  const pane = document.getElementById("pane");
  if (pane && pane.offsetParent !== null && window.htmx) window.htmx.ajax("GET", row.dataset.preview, { target: "#pane", swap: "innerHTML" });
}
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-preview]");
  if (row && !event.target.closest("a, button, input, label")) select(row);
});

// The live line: asks every five seconds while the page is seen; nothing moves until it is pressed.
const live = document.querySelector("[data-live]");
if (live) {
  let since = live.dataset.since;
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`${live.dataset.live}&since=${encodeURIComponent(since)}`, { headers: { "X-Requested-With": "fetch" } });
      if (!answer.ok) return;
      const news = await answer.json();
      if (news.count > 0) { live.hidden = false; live.querySelector("[data-live-text]").textContent = news.text; }
    } catch { /* the network is away: ask again later */ }
  };
  setInterval(ask, 5000);
}

// Select all, and how many are chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    document.querySelectorAll("[data-one]").forEach((box) => { box.checked = event.target.checked; });
  }
  if (event.target.matches("[data-all], [data-one]")) {
    const count = document.querySelectorAll("[data-one]:checked").length;
    document.querySelectorAll("[data-bulk]").forEach((bar) => { bar.hidden = count === 0; });
    document.querySelectorAll("[data-count]").forEach((text) => { text.textContent = count; });
  }
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
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-print]");
  if (button) window.print();
});

wire(document);
document.addEventListener("htmx:afterSwap", (event) => wire(event.target));
document.addEventListener("htmx:responseError", (event) => {
  const failed = document.body.dataset.failed;
  if (event.detail.xhr.status !== 422 && event.detail.xhr.status !== 409) say(failed);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // Answers that explain a fault are shown in place of the form, with what was typed.
  if ([403, 404, 409, 422, 429].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; }
});
document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline));
