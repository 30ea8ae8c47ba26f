// The call: what was read is put into fields nobody has touched; a person's choice always stands.
const { keep, say } = window.lianxin;

const form = document.getElementById("call-form");
const READ = ["words", "category", "area", "place_text", "lon", "lat"];  // what is sent to be read: never who is calling

function fill(button, byHand) {
  const input = form.elements[button.dataset.fill];
  if (!byHand && (input.dataset.byHand || (input.value && !input.dataset.filled))) return;
  if (input.value === button.dataset.value) return;
  input.value = button.dataset.value;
  input.dataset.filled = "1";
  if (byHand) input.dataset.byHand = "1";
  if (button.dataset.fill === "area") {
    form.elements.lon.value = button.dataset.lon ?? "";
    form.elements.lat.value = button.dataset.lat ?? "";
    const place = form.elements.place_text;
    if (!place.dataset.byHand && (!place.value || place.dataset.filled)) {
      place.value = button.dataset.place ?? "";
      place.dataset.filled = "1";
    }
  }
  keep(form);
  soon();
}

// Words that name no place clearly any more, or one of several: what was read before is taken back.
function unfill() {
  const { area } = form.elements;
  if (area.dataset.byHand || !area.dataset.filled || !area.value) return;
  area.value = "";
  forgetPlace();
  keep(form);
  soon();
}
// The position and the address that came with an area go with it.
function forgetPlace() {
  const { place_text: place, lon, lat } = form.elements;
  lon.value = lat.value = "";
  if (place.dataset.filled && !place.dataset.byHand) place.value = "";
}

// Each part goes to its place, and only when it says something new and nobody is in it.
function put(markup) {
  const page = new DOMParser().parseFromString(markup, "text/html");
  for (const part of page.querySelectorAll("template[data-into]")) {
    const place = document.getElementById(part.dataset.into);
    if (!place || place.contains(document.activeElement) || place.dataset.was === part.innerHTML) continue;
    place.dataset.was = part.innerHTML;
    place.replaceChildren(document.importNode(part.content, true));
  }
  if (!form.querySelector('[data-auto][data-fill="area"]')) unfill();
  for (const button of form.querySelectorAll("[data-auto]")) fill(button, false);
}

let timer;
let asking;
let last = "";
function soon() { clearTimeout(timer); timer = setTimeout(read, 250); }
async function read() {
  const body = new URLSearchParams(READ.map((name) => [name, form.elements[name].value]));
  const { area, place_text: place } = form.elements;
  if (place.dataset.filled && !place.dataset.byHand) body.set("place_text", "");  // read in the words, and nothing beside them
  body.set("area_filled", area.dataset.filled && !area.dataset.byHand ? "1" : "");
  if (form.dataset.pressed) body.set("pressed", form.dataset.pressed);  // the case of an emergency key is not another one like it
  if (body.toString() === last) return;
  last = body.toString();
  asking?.abort();
  asking = new AbortController();
  try {
    const answer = await fetch(form.dataset.suggest, {
      method: "POST", body, signal: asking.signal,
      headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value, "X-Requested-With": "fetch" },
    });
    if (answer.ok) put(await answer.text()); else last = "";
  } catch { last = ""; /* away or overtaken: the next letter asks again */ }
}

function openAnswer() {
  const place = form.querySelector(".desk-answer");
  if (place) place.open = true;
  form.elements.public_answer?.focus();
}

// Several matters in one call: the first stays, the others wait in this window for the next form of the same caller.
const REST = "lianxin.call.rest";
const CARRIED = ["phone", "name", "area", "place_text", "lon", "lat", "call"];
function split() {
  const [first, ...others] = [...form.querySelectorAll("[data-matter]")].map((part) => part.textContent.trim());
  if (!others.length) return;
  sessionStorage.setItem(REST, JSON.stringify(others));
  form.elements.words.value = first;
  form.elements.words.dispatchEvent(new Event("input", { bubbles: true }));
  if (!form.elements.category.dataset.byHand) form.elements.category.value = "";
  form.elements.words.focus();
}
function remember() {
  const rest = sessionStorage.getItem(REST);
  if (!rest) return;
  const carried = Object.fromEntries(CARRIED.map((name) => [name, form.elements[name].value]));
  sessionStorage.setItem(`${REST}.next`, JSON.stringify({ words: JSON.parse(rest), carried }));
  sessionStorage.removeItem(REST);
}
function next() {
  const held = sessionStorage.getItem(`${REST}.next`);
  // A form that came back with a fault is still the one before.
  if (!held || form.elements.words.value) return;
  sessionStorage.removeItem(`${REST}.next`);
  const { words: [words, ...others], carried } = JSON.parse(held);
  for (const name of CARRIED) form.elements[name].value = carried[name] ?? "";
  form.elements.words.value = words;
  if (others.length) sessionStorage.setItem(REST, JSON.stringify(others));
  form.querySelector("[data-rest-note]").hidden = false;
}

if (form) {
  next();
  form.addEventListener("submit", remember);
  for (const name of ["category", "area", "place_text"]) if (form.elements[name].value) form.elements[name].dataset.byHand = "1";
  form.addEventListener("input", (event) => {
    if (event.isTrusted && ["category", "area", "place_text"].includes(event.target.name)) {
      event.target.dataset.byHand = "1";
      delete event.target.dataset.filled;
      if (event.target.name === "area") forgetPlace();
    }
    soon();
  });
  form.addEventListener("lx:restored", () => {
    for (const name of ["category", "area", "place_text"]) if (form.elements[name].value) form.elements[name].dataset.byHand = "1";
    soon();
  });
  form.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-fill]");
    if (pick) fill(pick, true);
    const use = event.target.closest("[data-use-answer]");
    if (use) {
      form.elements.public_answer.value = use.closest("details").querySelector("[data-answer-text]").textContent;
      form.elements.article.value = use.dataset.useAnswer;
      openAnswer();
    }
    if (event.target.closest("[data-answer]") && !form.elements.public_answer.value.trim()) {
      event.preventDefault();
      openAnswer();
    }
    if (event.target.closest("[data-split]")) split();
    const save = event.target.closest("[data-save-draft]");
    if (save) { keep(form); say(save.dataset.saved); }
  });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || !/^Digit[1-9]$/.test(event.code)) return;
    const pick = form.querySelector(`[data-pick="${event.code.at(-1)}"]`);
    if (pick) { event.preventDefault(); fill(pick, true); form.querySelector("[data-picked]").textContent = pick.dataset.value; }
  });
  // Enter in a one-line field does not send the form: the keys on the bar do.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT") event.preventDefault();
  });
  // The caller's number, handed over by the telephone after #: that part of an address never leaves the browser.
  const handed = new URLSearchParams(location.hash.slice(1));
  const number = handed.get("phone");
  if (number) {
    if (!form.elements.phone.value) form.elements.phone.value = number.slice(0, 40);
    if (/^[0-9a-f-]{36}$/.test(handed.get("missed") ?? "")) form.elements.missed.value = handed.get("missed");
    history.replaceState(null, "", location.pathname + location.search);
  }
  // The call is timed from its first sign of life.
  let begun = number ? Date.now() : 0;
  form.addEventListener("input", () => { begun ||= Date.now(); });
  form.addEventListener("lx:call", () => { begun = Date.now(); });
  const clock = form.querySelector("[data-timer]");
  setInterval(() => {
    if (!begun) return;
    const seconds = Math.floor((Date.now() - begun) / 1000);
    clock.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  }, 1000);
  soon();
}
