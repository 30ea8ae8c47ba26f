// The agent's bar: how one stands, the call at one's telephone, and its screen that fills by itself.
//
// Who is calling comes into this page alone, asked for with the call's id: it stands in no address. A form in which somebody has written is never
// overwritten: then the bar offers the call, for a new window.
const { say } = window.lianxin;

const place = document.getElementById("desk-agent");
const form = document.getElementById("call-form");
const me = document.body.dataset.liveName;
const MINE = Math.random().toString(36).slice(2);
const LATER = 150;  // milliseconds a page that is not looked at leaves to one that is

const post = (address, body = {}) => fetch(address, {
  method: "POST", body: new URLSearchParams(body),
  headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value, "X-Requested-With": "fetch" },
});

// The bar is replaced only by something new, and not under somebody's hands.
let was = "";
function show(markup) {
  if (markup !== was) replace(markup);
  settled();  // also when the bar stays as it was: a call that was given up at once may never have stood in it
}
function replace(markup) {
  const typed = place.contains(document.activeElement) && document.activeElement.matches("input") ? document.activeElement : null;
  const held = typed && { id: typed.id, value: typed.value };
  was = markup;
  place.innerHTML = markup;
  const again = held && document.getElementById(held.id);
  if (again) { again.value = held.value; again.focus(); }
  tick();
}
const bar = () => place.firstElementChild;
let asked = 0;
async function look() {
  const mine = ++asked;
  const answer = await fetch(place.dataset.bar, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  const markup = answer?.ok ? await answer.text() : null;
  if (markup !== null && mine === asked) show(markup);
}
async function act(address, body) {
  asked += 1;
  const answer = await post(address, body).catch(() => null);
  if (!answer || !answer.headers.get("Content-Type")?.startsWith("text/html")) { say(place.dataset.failed); return; }
  show(await answer.text());
}

place.addEventListener("submit", (event) => {
  event.preventDefault();
  event.stopPropagation();
  act(event.target.dataset.agentForm, Object.fromEntries(new FormData(event.target)));
}, true);
place.addEventListener("click", (event) => {
  const step = event.target.closest("[data-agent-do]");
  if (step) {
    const name = step.dataset.agentWith;
    act(step.dataset.agentDo, name ? { [name]: step.form.elements[name].value } : {});
  }
  const open = event.target.closest("[data-agent-open]");
  if (open) take(open.dataset.agentOpen, { byHand: true });
});

function tick() {
  const clock = place.querySelector("[data-agent-clock]");
  if (!clock) return;
  const until = clock.dataset.agentUntil;
  const seconds = Math.max(0, Math.round((until ? new Date(until) - Date.now() : Date.now() - new Date(clock.dataset.agentClock)) / 1000));
  clock.textContent = `${until ? "−" : ""}${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (until && seconds === 0 && clock.dataset.over !== "1") { clock.dataset.over = "1"; setTimeout(look, 500); }
}
setInterval(tick, 1000);

// One window of this browser takes a call: the one that is looked at, and the screen for calls before any other.
const claimed = (call) => { try { return localStorage.getItem(`lx-call:${call}`); } catch { return null; } };
function claim(call) {
  try {
    if (localStorage.getItem(`lx-call:${call}`)) return false;
    for (const key of Object.keys(localStorage)) if (key.startsWith("lx-call:")) localStorage.removeItem(key);
    localStorage.setItem(`lx-call:${call}`, MINE);
  } catch { /* private mode: then each window for itself */ }
  return true;
}
function release(call) { try { localStorage.removeItem(`lx-call:${call}`); } catch { /* as above */ } }

// Words, a name or a number typed by hand are somebody's work; what a call filled in is not.
function free() {
  const { words, name, phone, missed } = form.elements;
  return !words.value.trim() && !name.value.trim() && !missed.value && !(phone.value && phone.dataset.byHand);
}
function busy() {
  if (form) return !free();
  return [...document.querySelectorAll("main textarea, main input:not([type=hidden]):not([type=search])")]
    .some((field) => ["checkbox", "radio"].includes(field.type) ? field.checked !== field.defaultChecked : field.value !== field.defaultValue)
    || Boolean(document.querySelector("dialog[open]"));
}

const panel = () => document.getElementById("call-pop");
function fill(call, found) {
  form.elements.call.value = call;
  form.elements.phone.value = found.number;
  delete form.elements.phone.dataset.byHand;
  form.elements.phone.dataset.noDraft = "";  // kept with what is written, not alone
  form.dataset.popped = found.answered ? "answered" : "ringing";
  panel().innerHTML = found.cases;
  form.dispatchEvent(new CustomEvent("lx:call", { bubbles: true }));
}
// A telephone that rang in vain leaves nothing of its caller on the screen.
function empty() {
  if (!form || form.dataset.popped !== "ringing" || !free()) return;
  form.elements.call.value = form.elements.phone.value = "";
  delete form.dataset.popped;
  panel().replaceChildren();
}
function settled() {
  const now = bar()?.dataset.call ?? "";
  if (!form || !form.elements.call.value) return;
  if (now !== form.elements.call.value) empty();
  else if (bar().dataset.callState !== "ringing") form.dataset.popped = "answered";
}

async function pop(call) {
  const answer = await post(`${place.dataset.bar}../calls/${call}/pop/`).catch(() => null);
  return answer?.ok ? answer.json() : null;
}
// Open a call: into this form when it is free, else in a page of its own.
async function take(call, { byHand = false } = {}) {
  if (form && form.elements.call.value === call && panel().childElementCount) return;
  if (!form || !(free() || form.elements.call.value === call)) {
    const address = `${place.dataset.callPage}#call=${call}`;
    if (byHand && busy()) window.open(address, "_blank", "noopener");
    else location.assign(address);
    return;
  }
  const found = await pop(call);
  if (found === null) { if (!byHand) release(call); else look(); return; }
  if (free() || form.elements.call.value === call) fill(call, found);
}
async function came(call) {
  if (!/^[0-9a-f-]{36}$/.test(call ?? "") || claimed(call)) return;
  const pause = (document.hidden ? LATER : 0) + (form ? 0 : LATER / 3);
  if (pause) await new Promise((done) => { setTimeout(done, pause); });
  if (!busy() && claim(call)) await take(call);
}

if (place) {
  window.lianxin.live.on(`agent:${me}`, async (message) => {
    // The screen first, then the bar. Whether the call is ours, the look-up says.
    if (message.call && form && message.call !== form.elements.call.value) await came(message.call);
    await look();
    if (bar()?.dataset.callState === "ringing") came(bar().dataset.call);
  });
  form?.addEventListener("input", (event) => {
    if (!event.isTrusted) return;
    delete form.elements.phone.dataset.noDraft;
    if (event.target === form.elements.phone) event.target.dataset.byHand = "1";
  });
  const handed = new URLSearchParams(location.hash.slice(1)).get("call");
  if (form && /^[0-9a-f-]{36}$/.test(handed ?? "")) {
    history.replaceState(null, "", location.pathname + location.search);
    take(handed, { byHand: true });
  }
  look();
}
