// The screens: a table of them, the bar at the bottom, the line on top that says how things stand. Addresses are hashes, so that
// one kept page opens them all without a network.

import { data, on } from "./data.js";
import { queue } from "./queue.js";
import { status, sync } from "./sync.js";
import { button, h, icon } from "./dom.js";
import { camera } from "./media.js";
import { when, w } from "./words.js";

// One line a screen: its module, the tab it belongs to, and for tasks their kind.
const SCREENS = {
  today: [() => import("./screens/today.js"), "today"],
  report: [() => import("./screens/report.js"), "report"],
  map: [() => import("./screens/map.js"), "map"],
  unsent: [() => import("./screens/unsent.js"), "unsent"],
  case: [() => import("./screens/task.js"), "today"],
  check: [() => import("./screens/check.js"), "today"],
  reports: [() => import("./screens/reports.js"), "today"],
  more: [() => import("./screens/more.js"), "today"],
  round: [() => import("./screens/rounds.js"), "today"],
  form: [() => import("./screens/form.js"), "today"],
  care: [() => import("./screens/care.js"), "today"],
};
const TABS = [["today", "nav.today"], ["report", "nav.report", "camera"], ["map", "nav.map"], ["unsent", "nav.unsent"]];

let root, main, bar, strip, leave = () => {}, refresh = null, turn = 0, quiet = [];

export const go = (address) => { if (location.hash === address) show(); else location.hash = address; };

// A photo that was taken before the screen for it stood there.
let early = null;
export const takeEarly = () => { const photo = early; early = null; return photo; };

function tab([name, key, shape = name]) {
  const link = h("a", { href: `#/${name}`, data: { tab: name } }, icon(shape), h("span", {}, w(key)));
  // The camera is one tap from anywhere. A key leads to the screen, whose first button is the camera: a surprise less.
  if (name === "report") link.addEventListener("click", (event) => {
    if (event.detail === 0) return;
    early = camera();
    if (location.hash === "#/report") { event.preventDefault(); show(); }
  });
  return link;
}
async function count() {
  const { unsent, attention } = await queue.counts(), link = bar.querySelector("[data-tab=unsent]"), n = unsent + attention;
  link.lastChild.textContent = n ? w("nav.unsent_n", { n }) : w("nav.unsent");
  link.classList.toggle("f-bad", attention > 0);
}
// Network and last exchange, honestly: a browser that believes itself connected has reached nobody until the server has answered.
export async function standing({ phase } = status()) {
  const [pulled, { unsent }] = await Promise.all([data.pulledAt(), queue.counts()]), last = pulled ? w("sync.last", { when: when(pulled) }) : w("sync.never");
  if (["shut_out", "closed", "unknown"].includes(phase)) return { shape: "refused", bad: true, words: w("sync.barred") };
  if (phase === "sending") return { shape: "sending", words: unsent ? w("sync.sending", { n: unsent }) : w("sync.asking") };
  if (phase === "offline" || navigator.onLine === false) return { shape: "offline", bad: true, words: w("sync.offline", { last }) };
  return phase === "failed" ? { shape: "offline", bad: true, words: w("sync.failed", { last }) } : { shape: "online", words: last };
}
async function tell() {
  const { shape, bad, words } = await standing();
  if (strip.dataset.said === words) return;
  strip.dataset.said = words;
  strip.classList.toggle("bad", Boolean(bad));
  strip.querySelector("[role=status]").replaceChildren(icon(shape), h("span", {}, words));
}
async function show() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("?")[0].split("/").map(decodeURIComponent), mine = turn += 1;
  const [load, tabbed] = SCREENS[name] ?? SCREENS.today, params = { name, rest, id: rest[0], query: new URLSearchParams(location.hash.split("?")[1]) };
  try { leave(); } catch { /* a screen that is gone cannot hold up the next */ }
  leave = () => {}; refresh = null;
  for (const link of bar.children) { if (link.dataset.tab === tabbed) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current"); }
  const page = h("div", { class: "f-page" });
  let drawn;
  try { drawn = await (await load()).render(page, params); } catch (error) {
    console.error(error);
    page.replaceChildren(h("h1", { tabIndex: -1 }, w("screen.failed_title")), h("p", {}, w("screen.failed")), button(w("screen.again"), { class: "primary", onclick: show }));
  }
  if (mine !== turn) { drawn?.leave?.(); return; }
  leave = drawn?.leave ?? leave; refresh = drawn?.refresh ?? null;
  main.replaceChildren(page);
  main.dataset.screen = location.hash;
  scrollTo(0, 0);
  const heading = page.querySelector("h1");
  document.title = heading ? w("app.title", { screen: heading.textContent }) : w("app.name");
  if (heading) { heading.tabIndex = -1; heading.focus({ preventScroll: true }); }
}

// Draws the application into `box`, once the vault is open.
export function start(box) {
  root = box;
  strip = h("header", { class: "f-strip" }, h("p", { role: "status" }), button(w("sync.now"), { class: "quiet", onclick: () => sync() }), h("a", { href: "#/more", class: "f-gear", "aria-label": w("more.title") }, icon("settings")));
  main = h("main", { id: "f-main" });
  bar = h("nav", { class: "f-bar", "aria-label": w("nav.name") }, TABS.map(tab));
  root.replaceChildren(strip, main, bar);
  root.hidden = false;
  const changed = async () => { tell(); await count(); await refresh?.(); };
  quiet = [on("change", changed), on("sync", tell)];
  const listen = (target, event, run) => { target.addEventListener(event, run); quiet.push(() => target.removeEventListener(event, run)); };
  listen(window, "hashchange", show);
  listen(window, "online", tell);
  listen(window, "offline", tell);
  const timer = setInterval(tell, 30_000);
  quiet.push(() => clearInterval(timer));
  tell();
  count();
  return show();
}
export function stop() {
  leave(); leave = () => {}; refresh = null; turn += 1;
  quiet.splice(0).forEach((end) => end());
  root?.replaceChildren();
  document.querySelectorAll("dialog.f-dialog, dialog.f-pick").forEach((one) => one.close());
}

