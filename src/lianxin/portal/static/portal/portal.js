// Comfort for residents: three screens without the network, photos one by one, places found while choosing.
// Everything here also works without it: the form is the same, the server takes the steps.

const form = document.querySelector("form[data-say]");
const token = () => document.querySelector("input[name=csrfmiddlewaretoken]")?.value || "";
const slot = (place) => ({
  get(key) { try { return JSON.parse(place().getItem(key)); } catch { return null; } },
  set(key, value) { try { place().setItem(key, JSON.stringify(value)); } catch { /* private mode */ } },
  drop(key) { try { place().removeItem(key); } catch { /* as above */ } },
});
const kept = slot(() => localStorage), brief = slot(() => sessionStorage);
const REST = "lx-say:rest", PERSON = "lx-say:person";

async function ask(url, values, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries({ csrfmiddlewaretoken: token(), ...values })) body.append(name, value);
  const answer = await fetch(url, { method: "POST", body, signal, headers: { Accept: "application/json" } });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.detail), { said: said.detail });
  return said;
}
function later(run, wait) {
  let timer;
  return (...args) => { clearTimeout(timer); timer = setTimeout(() => run(...args), wait); };
}

// ---------------------------------------------------------------- copying, and what is left behind after sending
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = button.dataset.copied; }
  catch { getSelection().selectAllChildren(document.getElementById("code")); }
});
if (document.querySelector("[data-say-done]")) { kept.drop(REST); brief.drop(PERSON); kept.drop("lx-draft:say"); }

// ---------------------------------------------------------------- files: one by one, with progress
let uploading = Promise.resolve();
// A form sent while a photo is still on its way waits for it.
document.addEventListener("submit", async (event) => {
  if (!event.target.dataset.uploading) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  await uploading;
  event.target.requestSubmit(event.submitter);
}, true);
for (const box of document.querySelectorAll("[data-uploads]")) {
  const input = box.querySelector("input[type=file]"), list = box.querySelector("[data-upload-list]");
  const status = box.querySelector("[data-upload-status]"), owner = input.form;
  const line = (file) => {
    const item = document.createElement("li");
    item.className = "portal-file";
    const name = document.createElement("span"), bar = document.createElement("progress");
    name.className = "name"; name.textContent = box.dataset.sending.replace("%s", file.name);
    bar.max = 1; bar.value = 0; bar.setAttribute("aria-label", file.name);
    item.append(name, bar);
    list.append(item);
    return item;
  };
  const failed = (item, file, words) => {
    item.replaceChildren();
    const error = document.createElement("span"), again = document.createElement("button"), drop = document.createElement("button");
    error.className = "lx-error whole"; error.textContent = `${file.name} — ${words}`;
    again.type = drop.type = "button"; again.className = drop.className = "lx-button quiet";
    again.textContent = box.dataset.retry; again.onclick = () => { item.remove(); send(file); };
    item.append(error, again);
    status.textContent = words;
  };
  const send = (file) => new Promise((done) => {
    const item = line(file), request = new XMLHttpRequest(), body = new FormData();
    body.append("csrfmiddlewaretoken", token());
    body.append("submission", owner.elements.submission.value);
    body.append("offers", box.dataset.offers);
    body.append("files", file);
    request.open("POST", box.dataset.url);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => { if (event.lengthComputable) item.querySelector("progress").value = event.loaded / event.total; };
    request.onload = () => {
      if (request.status === 200) {
        const shelf = document.createElement("template");
        shelf.innerHTML = request.response.html; // the server's own piece of form, escaped there
        item.replaceWith(shelf.content);
        status.textContent = "";
        remember();
      } else failed(item, file, request.response?.detail || box.dataset.failed);
      done();
    };
    request.onerror = request.ontimeout = () => { failed(item, file, box.dataset.failed); done(); };
    request.timeout = 180000;
    request.send(body);
  });
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = ""; // what is sent here is not sent again with the form
    uploading = uploading.then(async () => { for (const file of files) await send(file); });
    owner.dataset.uploading = "1";
    const mine = uploading;
    await mine;
    if (mine === uploading) delete owner.dataset.uploading;
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-drop]");
    if (!button) return;
    event.preventDefault();
    button.closest("li").remove();
    remember();
    input.focus();
  });
}

// ---------------------------------------------------------------- the three screens
function remember() {
  if (!form || form.dataset.done) return;
  const e = form.elements, list = form.querySelector("[data-upload-list]");
  kept.set(REST, {
    submission: e.submission.value, lon: e.lon.value, lat: e.lat.value, system: e.system.value, county: e.county.value,
    town: e.town.value, village: e.village.value, category: e.category?.value || "", uploads: list.innerHTML, at: Date.now(),
  });
  brief.set(PERSON, { phone: e.phone.value, name: e.name.value });
}
const STEPS = ["words", "place", "send"];
const message = form?.querySelector("[data-message]");
function tell(text, sent = false) {
  message.hidden = !text;
  message.querySelector("p").textContent = text;
  message.querySelector("[data-sent]").hidden = !sent;
  if (text) { message.focus(); message.scrollIntoView({ block: "nearest" }); }
}
function show(step, { push = true, focus = true } = {}) {
  for (const section of form.querySelectorAll("[data-step]")) section.classList.toggle("now", section.dataset.step === step);
  for (const mark of form.querySelectorAll("[data-step-mark]")) {
    if (mark.dataset.stepMark === step) mark.setAttribute("aria-current", "step"); else mark.removeAttribute("aria-current");
    mark.classList.toggle("done", STEPS.indexOf(mark.dataset.stepMark) < STEPS.indexOf(step));
  }
  form.elements.step.value = step;
  if (push) history.pushState({ step }, "");
  if (focus) { scrollTo(0, 0); form.querySelector(`[data-step=${step}] h2`).focus({ preventScroll: true }); }
}
function wordsFault(focus = true) {
  const words = form.elements.words.value.trim(), line = form.querySelector("[data-words-error]");
  const fault = !words ? form.dataset.empty
    : [...words].length > Number(form.dataset.limit) ? form.dataset.long.replace("%s", [...words].length) : "";
  line.textContent = fault; line.hidden = !fault;
  form.elements.words.toggleAttribute("aria-invalid", false);
  if (fault) { form.elements.words.setAttribute("aria-invalid", "true"); if (focus) form.elements.words.focus(); }
  return fault;
}
// What was missing is not complained of while it is being written.
form?.elements.words.addEventListener("input", (event) => { if (event.target.hasAttribute("aria-invalid")) wordsFault(false); });
function go(step) {
  tell("");
  if (step !== "words" && wordsFault()) return;
  if (step === "place") look();
  show(step);
  remember();
}

// What the words hold: danger at once and without the network, topics and places when it answers.
// The rules are a file that browsers keep; where it cannot be had now, the next letter or the network's return asks again.
let rules = null, danger = null, fetching = null;
function learn() {
  fetching ??= fetch(form.dataset.danger).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
    .then((held) => { rules = held; danger = compiled(); warn(); })
    .catch(() => { fetching = null; });
}
function compiled() {
  try {
    return { services: Object.entries(rules.rules).map(([service, words]) => [service, new RegExp(words, "g")]),
      harmless: new RegExp(rules.harmless, "g"), folds: new RegExp(`[${rules.fold[0]}]`, "g") };
  } catch { // an old browser that cannot look behind: the server warns on the next screen
    return null;
  }
}
function folded(text) {
  let words = text.replace(/[^\S\n]+/g, "").replace(/\n{2,}/g, "\n").toLowerCase()
    .replace(danger.folds, (character) => rules.fold[1][rules.fold[0].indexOf(character)]);
  for (const [said, meant] of rules.slips) words = words.replaceAll(said, meant);
  return words.replace(danger.harmless, (harmless) => "□".repeat(harmless.length));
}
function warn() {
  if (!rules) learn();
  if (!danger) return;
  const words = folded(form.elements.words.value.slice(0, 12000)), box = form.querySelector("[data-alarm]");
  let any = false;
  for (const [service, pattern] of danger.services) {
    const found = [...new Set(words.match(pattern) || [])].sort((a, b) => a.length - b.length).slice(0, 6), line = box.querySelector(`[data-service="${service}"]`);
    line.hidden = !found.length;
    if (found.length) { any = true; line.querySelector("[data-words]").textContent = found.join("、"); }
  }
  if (box.hidden === any) box.hidden = !any;
}
function radios(list, name, choices, none, chosen) {
  list.replaceChildren(...choices.map(({ value, text }) => {
    const label = document.createElement("label"), input = document.createElement("input"), span = document.createElement("span");
    input.type = "radio"; input.name = name; input.value = value; input.checked = value === chosen;
    span.textContent = text;
    label.append(input, " ", span);
    return label;
  }));
  if (choices.length) list.append(none.content.cloneNode(true));
}
let hearing;
async function listen(wanted = "") {
  const words = form.elements.words.value;
  if (words.trim().length < 4) return;
  hearing?.abort();
  hearing = new AbortController();
  try {
    const heard = await ask(form.dataset.listen, { words }, hearing.signal);
    const offered = form.querySelector("[data-offered]");
    if (offered.innerHTML !== heard.answers) offered.innerHTML = heard.answers;
    offered.hidden = !heard.answers;
    const box = form.querySelector("[data-topics]"), chosen = form.querySelector("[name=category]:checked");
    if (chosen?.value) return; // what a person chose stays
    radios(box.querySelector("[data-topic-list]"), "category", heard.topics.map((t) => ({ value: t.code, text: t.name })), box.querySelector("[data-topic-none]"), wanted);
    box.hidden = !heard.topics.length;
  } catch { /* only a suggestion */ }
}
async function look() {
  const e = form.elements;
  if (e.lon.value || e.county.value) return;
  try {
    const heard = await ask(form.dataset.listen, { words: e.words.value, place_text: e.place_text.value });
    const box = form.querySelector("[data-found]"), chosen = form.querySelector("[name=picked]:checked")?.value || "";
    radios(box.querySelector("[data-found-list]"), "picked", heard.places.map((p) => ({ value: p.code, text: p.path.endsWith(p.name) ? p.path : `${p.path} › ${p.name}` })), box.querySelector("[data-found-none]"), chosen);
    box.hidden = !heard.places.length;
    const question = box.querySelector("[data-found-question]");
    if (heard.question && question.textContent !== heard.question) question.textContent = heard.question;
  } catch { /* choose otherwise */ }
}

// A place: the device's, a point of the map, lists. The last choice counts.
async function settle(lon, lat) {
  const e = form.elements, line = form.querySelector("[data-where-text]");
  e.lon.value = lon; e.lat.value = lat;
  form.querySelector("[data-unplace]").hidden = false;
  try {
    const found = await ask(form.dataset.where, { lon, lat, system: e.system.value });
    line.textContent = found.text;
    if (!found.inside) { e.lon.value = e.lat.value = ""; form.querySelector("[data-unplace]").hidden = true; }
    else { e.county.value = ""; fill("town", []); fill("village", []); form.querySelector("[data-found]").hidden = true; for (const one of form.querySelectorAll("[name=picked]")) one.checked = false; }
  } catch (error) { if (error.said) line.textContent = error.said; }
  remember();
}
function unplace() {
  const e = form.elements;
  e.lon.value = e.lat.value = "";
  for (const line of form.querySelectorAll("[data-where-text], [data-locate-text]")) line.textContent = "";
  form.querySelector("[data-unplace]").hidden = true;
  form.dispatchEvent(new CustomEvent("lx:unplaced"));
  remember();
}
function fill(name, areas, chosen = "") {
  const select = form.elements[name];
  select.length = 1;
  for (const area of areas) select.add(new Option(area.name, area.code, false, area.code === chosen));
}
async function below(name, parent, chosen = "") {
  fill(name, []);
  if (!parent) return;
  try {
    const answer = await fetch(`${form.dataset.children}${encodeURIComponent(parent)}.json`);
    if (answer.ok) fill(name, (await answer.json()).areas, chosen);
  } catch { /* the address in words does as well */ }
}
async function openMap(box) {
  const library = box.dataset;
  box.hidden = false;
  try { await (await import(library.module)).open(box, form ? settle : null); }
  catch { box.querySelector("[data-map-canvas]").textContent = library.failed; }
}

// Sending: by fetch, so that a lost signal loses nothing and photos stay chosen.
async function send(button) {
  if (form.dataset.busy) return;
  if (wordsFault()) { show("words"); return; }
  remember();
  if (navigator.onLine === false) { tell(form.dataset.offline); return; }
  form.dataset.busy = "1";
  const label = button.textContent;
  button.textContent = form.dataset.sending;
  await uploading;
  const post = () => {
    const body = new FormData(form);
    body.set("go", "submit");
    return fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  };
  try {
    let answer = await post();
    if (answer.status === 403) { await renew(); answer = await post(); }
    const said = await answer.json();
    if (answer.ok) {
      delete form.dataset.draft; // it has been taken: nothing of it is kept again on leaving
      form.dataset.done = "1";
      location.assign(said.next);
      return;
    }
    for (const line of form.querySelectorAll("[data-error]")) {
      line.textContent = said.fields?.[line.dataset.error] || "";
      line.hidden = !line.textContent;
      const field = form.elements[line.dataset.error];
      if (line.hidden) field.removeAttribute("aria-invalid"); else field.setAttribute("aria-invalid", "true");
    }
    if (said.step && said.step !== form.elements.step.value) show(said.step);
    if (said.files) for (const item of form.querySelectorAll("[data-file]")) if (!said.files.includes(item.dataset.file)) item.remove();
    if (said.code === "preview") await prepare();
    tell(said.detail || form.dataset.failed, said.code === "sent_already");
  } catch { tell(navigator.onLine === false ? form.dataset.offline : form.dataset.failed); }
  button.textContent = label;
  delete form.dataset.busy;
}
// A page left open for long: a fresh token from a fresh page, the form stays as it is.
async function renew() {
  const page = new DOMParser().parseFromString(await (await fetch(form.action)).text(), "text/html");
  const fresh = page.querySelector("form[data-say] [name=csrfmiddlewaretoken]").value;
  for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = fresh;
}
async function prepare() {
  const e = form.elements;
  form.querySelector("[data-publish-fields]").classList.toggle("unpublished", !e.publish.checked);
  if (!e.publish.checked || e.body.value.trim()) return;
  try {
    const made = await ask(form.dataset.redact, { words: e.words.value, name: e.name.value });
    e.title.value = made.title; e.body.value = made.body;
  } catch { /* the server shows it on sending */ }
}

function start() {
  const e = form.elements, rest = kept.get(REST), person = brief.get(PERSON);
  const served = form.querySelector("[data-message]").hidden && e.step.value === "words" && !e.words.defaultValue;
  if (served && rest && Date.now() - rest.at < 20 * 3600e3 && e.words.value) {
    for (const name of ["submission", "lon", "lat", "system"]) e[name].value = rest[name] || e[name].value;
    form.querySelector("[data-upload-list]").innerHTML = rest.uploads || ""; // what this page itself had shown
    if (rest.county) { e.county.value = rest.county; below("town", rest.county, rest.town).then(() => below("village", rest.town, rest.village)); }
    if (rest.lon) settle(rest.lon, rest.lat);
    if (rest.category && !form.querySelector("[name=category]:checked")) listen(rest.category);
  }
  if (served && person) { e.phone.value ||= person.phone || ""; e.name.value ||= person.name || ""; }
  warn();
  if (served && STEPS.includes(history.state?.step) && e.words.value) show(history.state.step, { push: false, focus: false });
  else history.replaceState({ step: e.step.value }, "");
  form.querySelector("[data-publish-fields]").classList.toggle("unpublished", !e.publish.checked);

  addEventListener("popstate", (event) => show(event.state?.step || "words", { push: false }));
  addEventListener("online", () => {
    if (!rules) learn();
    if (message.querySelector("p").textContent === form.dataset.offline) tell(form.dataset.online);
  });
  addEventListener("pagehide", remember);
  addEventListener("pageshow", (event) => { if (event.persisted && form.dataset.done) location.reload(); });
  const heard = later(() => listen(), 700), looked = later(look, 600), noted = later(remember, 300);
  form.addEventListener("input", (event) => {
    if (event.target === e.words) { warn(); heard(); }
    if (event.target === e.place_text) looked();
    noted();
  });
  form.addEventListener("change", (event) => {
    const t = event.target;
    if (t.dataset.area || t === e.village) {
      if (t.value) unplace();
      if (t === e.county) { below("town", t.value); fill("village", []); }
      if (t === e.town) below("village", t.value);
    }
    if (t.matches("[data-publish]")) prepare();
    noted();
  });
  form.addEventListener("lx:located", () => settle(e.lon.value, e.lat.value));
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.go) { event.preventDefault(); go(button.dataset.go); }
    else if ("submit" in button.dataset) { event.preventDefault(); send(button); }
    else if ("mapOpen" in button.dataset) openMap(form.querySelector("[data-map]"));
    else if ("unplace" in button.dataset) unplace();
    else if ("forget" in button.dataset) { kept.drop(REST); brief.drop(PERSON); kept.drop("lx-draft:say"); form.reset(); delete form.dataset.draft; form.dataset.done = "1"; location.replace(location.pathname + location.search); }
  });
  // Enter in a field goes on, as the server would.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.value !== "enter" && event.submitter) return;
    event.preventDefault();
    const at = STEPS.indexOf(e.step.value);
    if (at < 2) go(STEPS[at + 1]); else send(form.querySelector("[data-submit]"));
  }, true);
}
if (form) start();
for (const box of document.querySelectorAll("[data-map][data-open]")) openMap(box);
