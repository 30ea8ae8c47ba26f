// Lists: j and k move, the preview follows, the live line, many at once with ten seconds to take it back.
const { say, shown, typing } = window.lianxin;

const table = document.querySelector("[data-rows]");
const pane = document.getElementById("pane");
const memory = `lx-row:${location.pathname}${location.search}`;
const rows = () => [...document.querySelectorAll("[data-rows] [data-preview]")];
const chosen = () => document.querySelector("[data-rows] [aria-selected=true]");

let asking;
let waiting;
function preview(row) {
  if (!pane || !shown(pane) || !window.htmx) return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(row.dataset.preview, {
        headers: { "HX-Request": "true", "HX-Current-URL": location.href }, signal: asking.signal,
      });
      const away = answer.headers.get("HX-Redirect");
      if (away) { location.assign(away); return; }
      if (!answer.ok) { say(document.body.dataset.failed); return; }
      pane.innerHTML = await answer.text();
      pane.scrollTop = 0;
      window.htmx.process(pane);
    } catch (error) { if (error.name !== "AbortError") say(document.body.dataset.offline); }
  }, 60);
}
function select(row) {
  for (const other of rows()) other.setAttribute("aria-selected", String(other === row));
  try { sessionStorage.setItem(memory, String(rows().indexOf(row))); } catch { /* private mode */ }
  row.scrollIntoView({ block: "nearest" });
  preview(row);
}
function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(chosen());
  const row = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  select(row);
  row.querySelector("a.words").focus({ preventScroll: true });
}
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") { move(event.key === "j" ? 1 : -1); event.preventDefault(); }
  if (event.key === "Enter" && !event.target.closest("a, button, summary")) chosen()?.querySelector("a.words")?.click();
  if (event.key === " " && event.target.closest("[data-rows]") && !event.target.matches("input")) {
    const box = chosen()?.querySelector("[data-one]");
    if (box) { event.preventDefault(); box.click(); }
  }
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-preview]");
  if (!row || event.target.closest("input, label, button")) return;
  const link = event.target.closest("a.words");
  // On a wide screen one click previews; a second, or Enter, opens.
  if (link && pane && shown(pane) && event.detail === 1 && !event.ctrlKey && !event.metaKey && row !== chosen()) event.preventDefault();
  select(row);
});
// Where one was, the next case now stands: it is previewed as soon as the page is there.
window.addEventListener("DOMContentLoaded", () => {
  if (!table || !pane || !shown(pane)) return;
  let at = 0;
  try { at = Number(sessionStorage.getItem(memory) ?? 0); } catch { /* private mode */ }
  const all = rows();
  if (all.length) select(all[Math.min(Math.max(at, 0), all.length - 1)]);
});

// The live line: asks every five seconds while the page is seen; nothing moves until it is pressed.
const live = document.querySelector(".desk-live");  // the page itself has a data-live too: where live news is asked for
async function ask() {
  if (document.hidden || !live) return;
  try {
    const answer = await fetch(`${live.dataset.live}since=${encodeURIComponent(live.dataset.since)}`, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) return;
    const news = await answer.json();
    if (!news.count) return;
    const words = live.querySelector("[data-live-text]");
    if (words.textContent !== news.text) words.textContent = news.text;
    live.querySelector("a").hidden = false;
  } catch { /* the network is away: ask again later */ }
}
if (live) {
  setInterval(ask, 5000);
  document.addEventListener("visibilitychange", ask);
}

// Many at once.
const bulk = document.querySelector("[data-bulk]");
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    for (const box of document.querySelectorAll("[data-one]")) box.checked = event.target.checked;
  }
  if (!bulk || !event.target.matches("[data-all], [data-one]")) return;
  const count = document.querySelectorAll("[data-one]:checked").length;
  bulk.hidden = count === 0;
  bulk.querySelector("[data-count]").textContent = count;
});

// Held for ten seconds; closing the page sends it at once, 撤销 forgets it.
let held = null;
function hold(form, button) {
  const body = new FormData(form, button);
  const text = form.querySelector("[data-hold-text]");
  held = { body, left: Number(form.dataset.hold), words: button.textContent.trim() };
  const tell = () => { text.textContent = `${held.words} · ${form.dataset.held.replace("%s", held.left)}`; };
  form.querySelector("[data-choose]").hidden = true;
  form.querySelector("[data-holding]").hidden = false;
  tell();
  form.querySelector("[data-undo]").focus();
  held.timer = setInterval(() => { held.left -= 1; if (held.left <= 0) send(form); else tell(); }, 1000);
}
async function send(form) {
  const { body, timer } = held;
  clearInterval(timer);
  held = null;
  form.querySelector("[data-hold-text]").textContent = form.dataset.sending;
  try {
    // Not followed here: the page that is loaded next tells what was done.
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body, redirect: "manual" });
    if (answer.type !== "opaqueredirect") throw new Error(answer.status);
    location.reload();
  } catch (error) {
    say(error instanceof TypeError ? document.body.dataset.offline : document.body.dataset.failed);
    release(form);
  }
}
function release(form) {
  if (held) clearInterval(held.timer);
  held = null;
  form.querySelector("[data-choose]").hidden = false;
  form.querySelector("[data-holding]").hidden = true;
}
if (bulk) {
  bulk.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!held && event.submitter) hold(bulk, event.submitter);
  });
  bulk.querySelector("[data-undo]").addEventListener("click", () => { release(bulk); bulk.querySelector("[data-choose] button").focus(); });
  bulk.querySelector("[data-now]").addEventListener("click", () => { if (held) send(bulk); });
  window.addEventListener("pagehide", () => { if (held) { navigator.sendBeacon(bulk.getAttribute("action"), held.body); held = null; } });
}
