// The emergency keys of the call screen: one press rings, registers and offers with the words so far; the page stays, and what is
// typed afterwards follows by itself. What was pressed lives as long as this window, so that a reload loses nothing.
const { keep } = window.lianxin;

const form = document.getElementById("call-form");
const panel = form?.querySelector("[data-emergency]");
const KEPT = "lianxin.call.emergency";
const QUIET = 2500;  // milliseconds without a key after which a piece goes
const LONGEST = 10000;  // and at most so long after the first of its letters
const AGAIN = 4000;  // between tries of a piece that did not arrive
const LOOK = 2000;  // between looks at how it stands while the partner has not answered

let held = null;  // { submission, n, words, place, name, phone }: what has arrived there; { sending: { body, after } }: what may have
function store() {
  try { sessionStorage.setItem(KEPT, JSON.stringify(held)); } catch { /* private mode: then for this page only */ }
}
function forget() {
  held = null;
  try { sessionStorage.removeItem(KEPT); } catch { /* as above */ }
}
const value = (name) => form.elements[name].value;
const said = () => panel.querySelector("[data-emergency-said]");
const note = (text) => {
  const line = panel.querySelector("[data-emergency-note]");
  if (line.textContent !== text) line.textContent = text;
};
// Only what is new is put in, so that a reader of the screen hears it once.
function show(markup) {
  panel.hidden = false;
  if (panel.dataset.was === markup) return;
  panel.dataset.was = markup;
  said().innerHTML = markup;
  const pressed = said().querySelector("template[data-pressed]");
  if (pressed) keepSaid(pressed);
}
// What a press itself said – the code to read out, what the telephone did, what to do by hand – stays while the rest moves on.
const pressed = () => panel.querySelector("[data-emergency-pressed]");
function keepSaid(template) {
  const before = pressed().querySelector(`[data-of="${CSS.escape(template.dataset.pressed)}"]`);
  const part = Object.assign(document.createElement("div"), { innerHTML: template.innerHTML });
  part.dataset.of = template.dataset.pressed;
  if (before && !("code" in template.dataset)) {  // the code is told once
    const code = before.querySelector(".desk-readout")?.closest("p");
    if (code) part.prepend(code);
  }
  if (before) before.replaceWith(part); else pressed().append(part);
}
const tell = (text) => show(Object.assign(document.createElement("div"), { textContent: text }).outerHTML);
const headers = () => ({ "X-CSRFToken": value("csrfmiddlewaretoken"), "X-Requested-With": "fetch" });
async function post(address, body) {
  const answer = await fetch(address, { method: "POST", body: new URLSearchParams(body), headers: headers() });
  return { ok: answer.ok, status: answer.status, text: answer.headers.get("Content-Type")?.startsWith("text/html") ? await answer.text() : "" };
}

let pressing = false;
async function press(service) {
  if (pressing) return;
  pressing = true;
  keep(form);
  tell(panel.dataset.ringing.replaceAll("%s", service));
  const body = new FormData(form);
  const sent = Object.fromEntries([["words", "words"], ["place", "place_text"], ...["name", "phone", "category", "area"].map((name) => [name, name])]
    .map(([as, name]) => [as, value(name)]));
  try {
    const answer = await post(panel.dataset.press.replace("000", service), body);
    if (answer.text && (answer.ok || answer.status === 403 || answer.status === 422)) show(answer.text);
    if (!answer.ok) { if (!answer.text) tell(panel.dataset.unsent.replaceAll("%s", service)); return; }
    held ??= { submission: value("submission"), n: 0, ...sent };
    held.pressed = pressed().innerHTML;
    form.dataset.pressed = held.submission;
    store();
    note(panel.dataset.following);
    watch();
    soon();
  } catch {
    tell(panel.dataset.unsent.replaceAll("%s", service));
  } finally { pressing = false; }
}

// What has been typed since: the rest of the words, or all of them where something before was changed. What was only filled in from
// the words goes with the ordinary save, when somebody has looked at it.
function rest(all = false, since = held) {
  const words = value("words");
  const piece = words.startsWith(since.words) ? words.slice(since.words.length) : words;
  const chosen = (name, before) => value(name) !== before && (all || form.elements[name].dataset.byHand) ? value(name) : "";
  return {
    piece: piece.trim(), place_since: chosen("place_text", since.place),
    category_since: chosen("category", since.category), area_since: chosen("area", since.area),
    name: settled("name", all), phone: settled("phone", all),
  };
}
// A name or number is taken when its field has been left, and when it says something new.
function settled(name, all) {
  const field = form.elements[name];
  return field.value !== held[name] && (all || field !== document.activeElement) ? field.value : "";
}
const something = (body) => Object.values(body).some(Boolean);

let timer = 0;
let first = 0;
let sending = null;
function soon() {
  if (!held) return;
  const now = Date.now();
  first ||= now;
  clearTimeout(timer);
  timer = setTimeout(send, Math.max(0, Math.min(QUIET, first + LONGEST - now)));
}
// One piece at a time; what did not arrive is sent again just as it was, under its number – after a reload as well.
function send() {
  if (held && !sending?.busy) piece();
}
async function piece() {
  first = 0;
  if (!sending) {
    const body = rest();
    sending = { body, after: {
      words: value("words"), place: body.place_since || held.place, category: body.category_since || held.category, area: body.area_since || held.area,
    } };
  }
  const { body, after } = sending;
  if (!something(body)) { sending = null; return; }
  sending.busy = true;
  held.sending = { body, after };
  store();
  let arrived = false;
  try {
    const answer = await post(panel.dataset.more, { submission: held.submission, n: held.n + 1, ...body });
    arrived = answer.ok;
    if (answer.text) show(answer.text);
  } catch { /* the network is away: again in a moment */ }
  if (!held) return;
  if (!arrived) {
    sending.busy = false;
    note(panel.dataset.behind);
    clearTimeout(timer);
    timer = setTimeout(send, AGAIN);
    return;
  }
  Object.assign(held, after, { n: held.n + 1 });
  for (const name of ["name", "phone"]) if (body[name]) held[name] = body[name];
  sending = null;
  delete held.sending;
  store();
  note(panel.dataset.following);
  if (something(rest())) soon();
}

let looking = 0;
async function look() {
  clearTimeout(looking);
  if (!held) return;
  try {
    const answer = await fetch(`${panel.dataset.state}?submission=${encodeURIComponent(held.submission)}`, { headers: { "X-Requested-With": "fetch" } });
    if (answer.status === 404) { forget(); panel.hidden = true; return; }
    if (answer.ok) show(await answer.text());
  } catch { /* again in a moment */ }
  watch();
}
function watch() {
  clearTimeout(looking);
  if (held && said().querySelector("[data-undecided]")) looking = setTimeout(look, LOOK);
}

// The ordinary keys end it: what is left goes with them. A piece that is on its way goes once more, under its own number, so that it
// neither comes twice nor is lost with the page.
function hide(name, text) {
  const hidden = form.querySelector(`[type=hidden][name=${name}]`) ?? form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name }));
  hidden.value = text;
}
function finish() {
  if (!held) return;
  clearTimeout(timer);
  clearTimeout(looking);
  const left = rest(true, sending ? { ...held, ...sending.after } : held);
  for (const name of ["piece", "place_since", "category_since", "area_since"]) {
    hide(name, left[name]);
    hide(`under_way_${name}`, sending?.body[name] ?? "");
  }
  hide("n", held.n + 2);
  hide("under_way_n", sending ? held.n + 1 : "");
}

if (panel) {
  if (document.querySelector("[data-draft-done]")) forget();
  else {
    try { held = JSON.parse(sessionStorage.getItem(KEPT)); } catch { /* private mode */ }
    if (held) {
      if (held.sending) sending = { ...held.sending, busy: false };
      form.elements.submission.value = form.dataset.pressed = held.submission;
      panel.hidden = false;
      pressed().innerHTML = held.pressed ?? "";
      look();
      soon();
    }
  }
  form.addEventListener("click", (event) => {
    const key = event.target.closest("[data-service]");
    if (key) { event.preventDefault(); press(key.dataset.service); }
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", finish);
  window.lianxin.live?.on("linkage", look);
  // Whether the caller wishes it is asked where a matter is clearly another desk's.
  const wish = form.querySelector("[data-wish]");
  new MutationObserver(() => { wish.hidden = !form.querySelector("[data-theirs]"); })
    .observe(document.getElementById("suggest-read"), { childList: true });
}
