// Before the application: this telephone is enrolled, its PIN asked for, and the way out.

import { roomFor, takeBallast } from "./store.js";
import { wipe } from "./db.js";
import { ask, button, field, h, notice, say } from "./dom.js";
import { emit } from "./events.js";
import { queue } from "./queue.js";
import * as vault from "./vault.js";
import { language, w } from "./words.js";

const gate = () => document.getElementById("gate");
function show(...children) {
  gate().replaceChildren(h("h1", {}, w("gate.name")), ...children);
  gate().hidden = false;
  (gate().querySelector("input") ?? gate()).focus();
}
const pinField = (label, name, help) => field(label, h("input", { type: "password", inputMode: "numeric", autocomplete: "off", pattern: "[0-9]*", minLength: 6, maxLength: 12, name, required: true }), help);
const weak = (pin) => { const why = vault.weakness(pin); return why && w(`pin.${why}`); };

async function session() {
  const answer = await fetch("/field/session", { headers: { Accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}
function form(submit, ...children) {
  const failed = notice("error", h("p", {}));
  failed.hidden = true;
  failed.setAttribute("role", "alert");
  const element = h("form", { noValidate: true, onsubmit: async (event) => {
    event.preventDefault();
    if (element.inert) return;
    failed.hidden = true;
    element.inert = true;
    try { await submit(element); } catch (fault) { failed.firstChild.textContent = fault.said ?? w("gate.failed"); failed.hidden = false; if (!fault.said) console.error(fault); }
    element.inert = false;
  } }, failed, children);
  return element;
}
const said = (words) => Object.assign(new Error(words), { said: words });

async function post(name, csrf) {
  let answer;
  try {
    answer = await fetch("/field/enrol", { method: "POST", body: JSON.stringify({ name }), headers: { "Content-Type": "application/json", "X-CSRFToken": csrf, Accept: "application/json", "Accept-Language": language() } });
  } catch { throw said(w("enrol.offline")); }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw said(told.detail || w("gate.failed"));
  return told;
}

// Resolves when this telephone is enrolled and its vault open.
export function enrol() {
  return new Promise((done) => {
    const begin = async () => {
      if (!vault.possible()) { show(notice("error", h("p", {}, w("enrol.impossible")))); return; }
      let who;
      try { who = await session(); } catch {
        show(h("p", {}, w("enrol.offline")), button(w("gate.again"), { class: "primary", onclick: begin }));
        return;
      }
      if (!who.signed_in) { show(h("p", {}, w("enrol.first")), h("a", { class: "f-button primary wide", href: who.sign_in }, w("enrol.sign_in"))); return; }
      const device = field(w("enrol.device"), h("input", { name: "device", maxLength: 80, required: true, value: w("enrol.device_name", { name: who.name }) }));
      const pin = pinField(w("enrol.pin"), "pin", w("enrol.pin_help")), twice = pinField(w("enrol.pin_again"), "again");
      show(h("p", {}, w("enrol.hello", { name: who.name })), form(async () => {
        for (const one of [device, pin, twice]) one.fault("");
        const digits = pin.control.value;
        if (!device.control.value.trim()) return device.fault(w("enrol.device_needed"));
        if (weak(digits)) return pin.fault(weak(digits));
        if (digits !== twice.control.value) return twice.fault(w("pin.differ"));
        await roomFor(20_000_000);
        const made = await post(device.control.value.trim(), who.csrf);
        await vault.create(digits, { device_id: made.device_id, secret: made.secret, worker: made.worker });
        navigator.storage?.persist?.();
        await takeBallast();
        gate().hidden = true;
        return done();
      }, device, pin, twice, button(w("enrol.do"), { class: "primary wide", type: "submit" })));
    };
    begin();
  });
}

// The server does not know this telephone any more: the same worker enrols it again, and what waits is sent with the new secret.
export async function enrolAgain() {
  let who;
  try { who = await session(); } catch { return say(w("enrol.offline")); }
  if (!who.signed_in) return location.assign(who.sign_in);
  if (who.id !== vault.held().worker.id) return say(w("enrol.another", { name: vault.held().worker.name }));
  try {
    const made = await post(w("enrol.device_name", { name: who.name }), who.csrf);
    await vault.rebind({ device_id: made.device_id, secret: made.secret, worker: made.worker });
  } catch (fault) { return say(fault.said ?? w("gate.failed")); }
  return emit("unlocked");
}

function wrong(pin, fault) {
  if (!(fault instanceof vault.VaultFault)) throw fault;
  pin.control.value = "";
  if (fault.code === "empty") location.reload();
  pin.fault(fault.code === "wait" ? w("unlock.wait", { n: fault.seconds }) : w("unlock.wrong"));
}

// Another PIN for the same store. Resolves when it is done or given up.
export function changePin() {
  const app = document.getElementById("app");
  return new Promise((done) => {
    const old = pinField(w("pin.old"), "pin"), pin = pinField(w("pin.new"), "new", w("enrol.pin_help")), twice = pinField(w("enrol.pin_again"), "again");
    const end = () => { gate().hidden = true; app.hidden = false; done(); };
    app.hidden = true;
    show(form(async () => {
      for (const one of [old, pin, twice]) one.fault("");
      if (weak(pin.control.value)) return pin.fault(weak(pin.control.value));
      if (pin.control.value !== twice.control.value) return twice.fault(w("pin.differ"));
      try { await vault.change(old.control.value, pin.control.value); } catch (fault) { return wrong(old, fault); }
      say(w("pin.changed"));
      return end();
    }, old, pin, twice, button(w("pin.change"), { class: "primary wide", type: "submit" }), button(w("pin.cancel"), { class: "quiet wide", onclick: end })));
  });
}

// A finger or a face in place of the PIN, or no more of it. Resolves when it is done or given up.
export async function changeFinger() {
  if (await vault.fingerSet()) {
    await vault.dropFinger();
    return say(w("finger.dropped"));
  }
  if (!await vault.fingerPossible()) return say(w("finger.unable"));
  const app = document.getElementById("app");
  return new Promise((done) => {
    const pin = pinField(w("pin.old"), "pin"), end = () => { gate().hidden = true; app.hidden = false; done(); };
    app.hidden = true;
    show(h("p", {}, w("finger.hello")), form(async () => {
      pin.fault("");
      try { await vault.setFinger(pin.control.value); } catch (fault) {
        if (fault.code === "unable" || fault instanceof DOMException) return pin.fault(w("finger.unable"));
        return wrong(pin, fault);
      }
      say(w("finger.set"));
      return end();
    }, pin, button(w("finger.do"), { class: "primary wide", type: "submit" }), button(w("pin.cancel"), { class: "quiet wide", onclick: end })));
  });
}

// Resolves when the vault is open.
export function unlock() {
  return new Promise((done) => {
    const pin = pinField(w("unlock.pin"), "pin"), waits = h("p", { class: "f-help" });
    let ticking = 0;
    const tick = async () => {
      clearTimeout(ticking);
      const seconds = await vault.waiting();
      pin.control.disabled = seconds > 0;
      waits.textContent = seconds ? w("unlock.wait", { n: seconds }) : "";
      if (seconds && gate().contains(waits)) ticking = setTimeout(tick, 1000);
    };
    show(form(async () => {
      pin.fault("");
      try { await vault.unlock(pin.control.value); } catch (fault) { wrong(pin, fault); tick(); return; }
      clearTimeout(ticking);
      gate().hidden = true;
      done();
    }, pin, waits, button(w("unlock.do"), { class: "primary wide", type: "submit" })), lost());
    const finger = button(w("finger.unlock"), { class: "wide", onclick: async () => {
      try { await vault.unlockByFinger(); } catch (fault) { console.warn(fault); pin.fault(w("finger.failed")); return; }
      clearTimeout(ticking);
      gate().hidden = true;
      done();
    } });
    vault.fingerSet().then((set) => { if (set) gate().querySelector("form").before(h("p", {}, finger)); });
    queue.counts().then(({ unsent }) => { if (unsent) gate().append(h("p", { class: "f-help" }, w("unlock.unsent", { n: unsent }))); });
    tick();
  });
}
// A forgotten PIN cannot be made again: what waits is lost with it, and only who says so twice begins anew.
const lost = () => h("details", {}, h("summary", {}, w("unlock.forgotten")), h("p", {}, w("unlock.forgotten_help")),
  button(w("unlock.begin_anew"), { class: "danger", onclick: () => leave(true) }));

// Signs out: everything on this telephone goes. Refused while something waits, unless it was confirmed twice.
export async function leave(locked = false) {
  const { unsent, attention } = await queue.counts();
  const waits = unsent + attention;
  const first = await ask(w("leave.title"), h("p", {}, waits ? w("leave.waits", { n: waits }) : w(locked ? "leave.locked" : "leave.nothing")),
    [["no", w("leave.stay"), "primary"], ["yes", waits ? w("leave.although") : w("leave.do"), "danger"]]);
  if (first !== "yes") return false;
  if (waits && await ask(w("leave.sure"), h("p", {}, w("leave.lost", { n: waits })), [["no", w("leave.stay"), "primary"], ["yes", w("leave.destroy"), "danger"]]) !== "yes") return false;
  await navigator.locks.request("lianxin-field-sync", async () => {
    if (vault.unlocked()) await fetch("/api/v1/field/device", { method: "DELETE", credentials: "omit", headers: { Authorization: `Bearer ${vault.held().secret}` } }).catch(() => {});
    vault.lock();
    await wipe();
  });
  emit("sign-out");
  location.reload();
  return true;
}
