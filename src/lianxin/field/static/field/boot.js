// Opens the application: its worker, its words, the gate, then the screens.

import { ask, emit, on } from "./events.js";
import { NewerStore, database, whenStale } from "./db.js";
import { button, h } from "./dom.js";
import * as gate from "./gate.js";
import { rest } from "./sync.js";
import { watch } from "./store.js";
import * as vault from "./vault.js";
import { take, w, wanted } from "./words.js";

const IDLE = 5 * 60_000;  // milliseconds without a touch until the PIN is asked for again
const root = () => document.getElementById("app");
let touched = Date.now();

async function words() {
  const language = wanted(), answer = await fetch(new URL(`./words.${language}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`words ${answer.status}`);
  take(await answer.json(), language);
}

// A bar at the top that stays until it is tapped: one for each thing that is the matter.
function bar(name, text, ...acts) {
  const place = document.getElementById("notices");
  place.querySelector(`[data-bar=${name}]`)?.remove();
  if (text) place.append(h("div", { class: "f-notice near", data: { bar: name } }, h("p", {}, text),
    acts.length > 0 && h("div", { class: "f-row" }, acts.map(([label, act]) => button(label, { onclick: act })))));
}

// A new version waits until the worker says so or opens the application again; the queue is the store's, not the version's.
async function worker() {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register("/field/sw.js", { scope: "/field/", updateViaCache: "none" });
  const offer = () => {
    if (!registration.waiting || !navigator.serviceWorker.controller) return;
    emit("update");
    bar("update", w("update.ready"), [w("update.do"), update]);
  };
  const update = async () => {
    await ask("locking", 3000);
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
    registration.waiting?.postMessage({ type: "update" });
  };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  offer();
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") registration.update().catch(() => {}); });
}

// Drafts first; where one could not be kept the page stays as it is, out of sight, and comes back after the PIN. What is being sent is
// sent to its end before the key goes.
async function lock() {
  const safe = await ask("locking", 3000);
  root().hidden = true;
  if (safe) { (await import("./app.js")).stop?.(); root().replaceChildren(); }
  let shut = true;
  rest().then(() => { if (shut) vault.lock(); });
  await gate.unlock();
  shut = false;
  await enter(safe);
}
async function enter(anew = true) {
  touched = Date.now();
  root().hidden = false;
  if (anew) await (await import("./app.js")).start(root());
  offerInstall();
}
function watchIdle() {
  for (const name of ["pointerdown", "keydown", "input"]) addEventListener(name, () => { touched = Date.now(); }, { passive: true, capture: true });
  // A clock that is set back is no touch.
  const look = () => { if (vault.unlocked() && !root().hidden && Math.abs(Date.now() - touched) > IDLE) lock(); };
  setInterval(look, 10_000);
  document.addEventListener("visibilitychange", look);
}
function device({ phase }) {
  if (phase === "shut_out" || phase === "closed") bar("device", w(`sync.${phase}`));
  else if (phase === "unknown") bar("device", w("sync.unknown"), [w("sync.enrol_again"), gate.enrolAgain]);
  else if (phase === "idle") bar("device", "");
}

// An app on the home screen is not cleared with the history. Offered once, when the worker is inside.
const OFFERED = "lx-field-install";
let prompt = null;
function offerInstall() {
  try { if (!prompt || !vault.unlocked() || localStorage.getItem(OFFERED)) return; } catch { return; /* private mode: nothing is kept anyway */ }
  const end = (install) => { bar("install", ""); localStorage.setItem(OFFERED, "1"); if (install) prompt.prompt(); };
  bar("install", w("install.offer"), [w("install.do"), () => end(true)], [w("install.later"), () => end(false)]);
}
addEventListener("beforeinstallprompt", (event) => { event.preventDefault(); prompt = event; offerInstall(); });

async function main() {
  await words();
  document.title = w("gate.name");
  on("sync", device);
  on("space", ({ scarce }) => bar("space", scarce ? w("store.scarce") : ""));
  on("sign-out", () => location.reload());
  whenStale(() => bar("stale", w("update.elsewhere"), [w("update.reload"), () => location.reload()]));
  worker().catch((fault) => console.warn(fault));
  await database();
  watchIdle();
  await ((await vault.exists()) ? gate.unlock() : gate.enrol());
  await enter();
  return watch();
}
main().catch((fault) => {
  console.error(fault);
  document.getElementById("gate").replaceChildren(h("p", {}, fault instanceof NewerStore ? w("update.elsewhere") : w("gate.broken")), button(w("update.reload"), { onclick: () => location.reload() }));
});
export { lock };
